import type { FileResult } from '../verdict/model.ts';
import type { ScanReport } from './model.ts';
import type { TextOptions } from './text.ts';
import type { Translator } from './translator.ts';

/** The forms in which a scan can be reported. */
export const reportFormats = [
  'text',
  'json',
  'ndjson',
  'sarif',
  'junit',
  'github',
  'html',
  'markdown',
] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** How a report is written. */
export interface ReportOptions extends TextOptions {
  readonly translator: Translator;
}

/** How a scan is reported in one form: pure functions of the results. */
export interface Reporter {
  /** Whether it says anything of what lies in a file, beyond telltales and problems. */
  readonly usesTree: boolean;
  /** What is said of one file as soon as it is judged; absent where the form is one document. */
  toFile?(file: FileResult, options: ReportOptions): string;
  /** What is said when all files are judged: the whole document, or what comes after the files. */
  toEnd(report: ScanReport, options: ReportOptions): string;
}

/** Each form is imported when it is asked for, so that none costs those who do not use it. */
const loaders: Readonly<Record<ReportFormat, () => Promise<Reporter>>> = {
  text: async () => {
    const { toFileText, toSummaryText } = await import('./text.ts');
    return { usesTree: false, toFile: toFileText, toEnd: toSummaryText };
  },
  json: async () => {
    const { toJson } = await import('./json.ts');
    return { usesTree: true, toEnd: toJson };
  },
  ndjson: async () => {
    const { toNdjsonLine, toNdjsonSummary } = await import('./json.ts');
    return { usesTree: true, toFile: toNdjsonLine, toEnd: toNdjsonSummary };
  },
  sarif: async () => ({ usesTree: true, toEnd: (await import('./sarif.ts')).toSarif }),
  junit: async () => ({ usesTree: false, toEnd: (await import('./junit.ts')).toJunit }),
  github: async () => ({ usesTree: false, toEnd: (await import('./github.ts')).toAnnotations }),
  html: async () => ({ usesTree: true, toEnd: (await import('./html/scan-page.ts')).toScanHtml }),
  markdown: async () => ({ usesTree: false, toEnd: (await import('./scan-markdown.ts')).toScanMarkdown }),
};

/** The reporter of a form. */
export async function loadReporter(format: ReportFormat): Promise<Reporter> {
  return await loaders[format]();
}

/** A whole report in one text, as it is written to a file. */
export function toWhole(reporter: Reporter, report: ScanReport, options: ReportOptions): string {
  const { toFile } = reporter;
  const files = toFile === undefined ? [] : report.files.map((file) => toFile(file, options));
  return files.join('') + reporter.toEnd(report, options);
}
