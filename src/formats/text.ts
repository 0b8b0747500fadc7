/**
 * Text of every kind, and what is nothing that we know: the end of the probing order.
 *
 * Text is read by nothing but the pattern search; these formats say what it is, so that a page saved under the name
 * of a package is called a page.
 *
 * References: https://html.spec.whatwg.org/multipage/syntax.html, https://mimesniff.spec.whatwg.org/
 */
import { toUtf16 } from '../bytes/cursor.ts';
import type { Format, Reading } from './model.ts';

/** The start of a text is enough to tell its kind. */
const sniffedCharacters = 2048;

/** Tags that begin pages, as in the MIME sniffing standard. */
const htmlStart =
  /^(?:<!--[\s\S]*?-->|<\?xml[^>]*>|\s)*<(?:!doctype html|html|head|body|script|iframe|title|meta|table|style|div|h1)[\s>]/i;

/** What a script begins with; only what plain text hardly ever does. */
const scriptStarts: readonly RegExp[] = [
  /^#!\s*\/\S+/,
  /^\s*@?echo off\b/i,
  /^\s*(?:rem |::)[^\n]*\n[\s\S]*^\s*(?:set|if|goto|start|call|echo)\b/im,
  /^\s*(?:#requires|\[CmdletBinding|param\s*\(|Set-StrictMode|\$ErrorActionPreference)/i,
  /^\s*(?:(?:'|rem )[^\n]*\n\s*)*(?:option explicit|on error resume next|dim \w+|set \w+\s*=\s*(?:createobject|wscript))/i,
  /^\s*(?:\/\*[\s\S]*?\*\/\s*|\/\/[^\n]*\n\s*)*(?:'use strict'|"use strict"|!?\(?function\b|(?:var|let|const)\s+[\w$]+\s*=|import\s.+\sfrom\s|window\.|module\.exports)/,
  /^(?:Windows Registry Editor Version|REGEDIT4)/,
  /^\s*<(?:job|package)\b[\s\S]*<script\b/i,
  /^\s*\[autorun\]/i,
];

/** Control characters that plain text does not hold; tab, line ends, form feed and escape it does. */
function hasBinaryControls(text: string): boolean {
  return /[\0-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f]/.test(text);
}

function tryDecode(label: string, bytes: Uint8Array): string | undefined {
  try {
    // As a stream: the head may end inside a character.
    const text = new TextDecoder(label, { fatal: true }).decode(bytes, { stream: true });
    return hasBinaryControls(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * The start of a text, or undefined when the bytes are no text: UTF-16 with a mark or of mostly Latin letters,
 * UTF-8, or GB18030 (which includes GBK) without control characters.
 */
export function tryDecodeText(head: Uint8Array): string | undefined {
  if (head.length === 0) return undefined;
  if (head[0] === 0xff && head[1] === 0xfe) return dropBinary(toUtf16(head.subarray(2)));
  if (head[0] === 0xfe && head[1] === 0xff) return tryDecode('utf-16be', head.subarray(2));
  const utf8 = tryDecode('utf-8', head);
  if (utf8 !== undefined) return utf8;
  if (head.length >= 8 && countZeros(head, 1) > head.length / 4 && countZeros(head, 0) === 0) {
    return dropBinary(toUtf16(head));
  }
  return head.length >= 16 ? tryDecode('gb18030', head) : undefined;
}

function dropBinary(text: string): string | undefined {
  return hasBinaryControls(text) ? undefined : text;
}

/** Zero bytes at even or odd places. */
function countZeros(bytes: Uint8Array, parity: 0 | 1): number {
  let zeros = 0;
  for (let i = parity; i < bytes.length; i += 2) if (bytes[i] === 0) zeros += 1;
  return zeros;
}

const nothing: Reading = { facts: [], regions: [] };

export const htmlFormat: Format = {
  id: 'html',
  title: 'web page',
  nature: 'passive',
  extensions: ['html', 'htm', 'xhtml', 'hta'],
  references: ['https://html.spec.whatwg.org/', 'https://mimesniff.spec.whatwg.org/'],
  limitations: ['Scripts and data in pages are searched as text, not run or decoded.'],
  probe(head) {
    const text = tryDecodeText(head);
    return text !== undefined && htmlStart.test(text.slice(0, sniffedCharacters));
  },
  read: () => nothing,
};

export const scriptFormat: Format = {
  id: 'script',
  title: 'script',
  nature: 'acting',
  extensions: ['bat', 'cmd', 'ps1', 'sh', 'js', 'vbs', 'wsf', 'reg', 'py', 'inf'],
  references: ['https://man7.org/linux/man-pages/man2/execve.2.html'],
  limitations: [
    'Recognised by how it begins; a script that begins like prose is called text.',
    'Searched as text, not run or decoded.',
  ],
  probe(head) {
    const text = tryDecodeText(head)?.slice(0, sniffedCharacters);
    return text !== undefined && scriptStarts.some((start) => start.test(text));
  },
  read: () => nothing,
};

export const textFormat: Format = {
  id: 'text',
  title: 'text',
  nature: 'passive',
  extensions: ['txt', 'log', 'ini', 'xml', 'json', 'csv', 'md'],
  references: ['https://encoding.spec.whatwg.org/'],
  limitations: ['Only the first 4,096 bytes decide that it is text.'],
  probe(head) {
    return tryDecodeText(head) !== undefined;
  },
  read: () => nothing,
};

/** Fits everything: the last in the probing order. */
export const dataFormat: Format = {
  id: 'data',
  title: 'data of an unknown format',
  nature: 'passive',
  extensions: ['bin', 'dat'],
  references: [],
  limitations: ['Searched as bytes only.'],
  probe: () => true,
  read: () => nothing,
};

/** In probing order. */
export const textFormats: readonly Format[] = [htmlFormat, scriptFormat, textFormat, dataFormat];
