/**
 * Bytes as a person reads them: printable ASCII as it is, UTF-16LE runs as their letters, everything else as `\xNN`.
 */
export function toPrintableBytes(bytes: Uint8Array): string {
  const wide = isMostlyUtf16(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x20 && byte < 0x7f && byte !== 0x5c) {
      text += String.fromCharCode(byte);
      if (wide && bytes[at + 1] === 0) at += 1;
    } else {
      text += byte === 0x5c ? '\\\\' : `\\x${byte.toString(16).padStart(2, '0')}`;
      if (byte === 0x5c && wide && bytes[at + 1] === 0) at += 1;
    }
  }
  return text;
}

/** Whether most printable bytes are followed by a NUL. */
function isMostlyUtf16(bytes: Uint8Array): boolean {
  let letters = 0;
  let wide = 0;
  for (let at = 0; at + 1 < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 || byte >= 0x7f) continue;
    letters += 1;
    if (bytes[at + 1] === 0) wide += 1;
  }
  return letters > 0 && wide * 2 > letters;
}
