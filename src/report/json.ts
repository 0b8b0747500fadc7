import type { FileResult } from '../verdict/model.ts';
import { toSafeJson } from './escape.ts';
import type { ScanReport } from './model.ts';

/** One JSON document; its shape is the published schema `telltale/scan/1`. */
export function toJson(report: ScanReport): string {
  return `${toSafeJson(report, 2)}\n`;
}

/** One line for each file: the file objects of the JSON report, with their type. */
export function toNdjsonLine(file: FileResult): string {
  return `${toSafeJson({ type: 'file', ...file })}\n`;
}

/** The last line of an ndjson report: everything but the files. */
export function toNdjsonSummary({ files: _files, ...rest }: ScanReport): string {
  return `${toSafeJson({ type: 'summary', ...rest })}\n`;
}
