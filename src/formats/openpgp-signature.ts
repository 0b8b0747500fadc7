/**
 * OpenPGP signatures, as far as to say whose key made them. Nothing is verified.
 *
 * Specification: https://www.rfc-editor.org/rfc/rfc9580 (section 5.2), https://www.rfc-editor.org/rfc/rfc4880
 * Not supported: signatures in several packets (the first one counts), partial packet lengths.
 */
import { Cursor, toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';

const signatureTag = 2;
/** Subpackets that name the key: its id, or its fingerprint, of which the id is a part. */
const issuerSubpacket = 16;
const issuerFingerprintSubpacket = 33;

/** Who made a signature; unverified. */
export interface OpenPgpIssuer {
  /** 16 hex digits, lower case. */
  readonly keyId: string;
  /** Lower-case hex, when it is stated. */
  readonly fingerprint?: string;
}

/** The issuer that a detached binary signature names, or undefined when it names none or is no signature. */
export function tryReadOpenPgpIssuer(bytes: Uint8Array): OpenPgpIssuer | undefined {
  try {
    return readIssuer(new Cursor(bytes));
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    return undefined;
  }
}

function readIssuer(cursor: Cursor): OpenPgpIssuer | undefined {
  const header = cursor.u8();
  const isNewFormat = (header & 0xc0) === 0xc0;
  const tag = isNewFormat ? header & 0x3f : (header >> 2) & 0x0f;
  if ((header & 0x80) === 0 || tag !== signatureTag) return undefined;
  if (isNewFormat) readLength(cursor);
  else cursor.skip([1, 2, 4, 0][header & 3] ?? 0);
  const version = cursor.u8();
  if (version === 3) {
    // Length of what is hashed (always 5), kind, time; then the key id.
    cursor.skip(6);
    return { keyId: toHex(cursor.bytes(8)) };
  }
  if (version !== 4 && version !== 6) return undefined;
  cursor.skip(3);
  let issuer: OpenPgpIssuer | undefined;
  for (const _part of ['hashed', 'unhashed']) {
    const length = version === 4 ? cursor.u16be() : cursor.u32be();
    const found = tryFindIssuer(new Cursor(cursor.bytes(length)));
    if (issuer?.fingerprint === undefined) issuer = found ?? issuer;
  }
  return issuer;
}

/** Lengths of one, two or five bytes; those of packets and of subpackets are the same but for partial ones. */
function readLength(cursor: Cursor): number {
  const first = cursor.u8();
  if (first < 192) return first;
  if (first === 255) return cursor.u32be();
  return ((first - 192) << 8) + cursor.u8() + 192;
}

function tryFindIssuer(cursor: Cursor): OpenPgpIssuer | undefined {
  let issuer: OpenPgpIssuer | undefined;
  while (cursor.remaining > 1) {
    const length = readLength(cursor);
    const subpacket = new Cursor(cursor.bytes(length));
    if (length === 0) continue;
    const type = subpacket.u8() & 0x7f;
    if (type === issuerSubpacket && subpacket.remaining === 8 && issuer === undefined) {
      issuer = { keyId: toHex(subpacket.bytes(8)) };
    }
    if (type === issuerFingerprintSubpacket && subpacket.remaining > 20) {
      const version = subpacket.u8();
      const fingerprint = toHex(subpacket.bytes(subpacket.remaining));
      // The id is the end of a version 4 fingerprint and the start of a later one (RFC 9580, section 5.5.4).
      issuer = { keyId: version === 4 ? fingerprint.slice(-16) : fingerprint.slice(0, 16), fingerprint };
    }
  }
  return issuer;
}
