/**
 * What Apple's certificates say: by which of its authorities they were issued, to which team, and for what.
 *
 * References: https://www.apple.com/certificateauthority/ (certificates and practice statements),
 * https://developer.apple.com/documentation/technotes/tn3127-inside-code-signing-requirements (marker extensions)
 */
import { parseDer, tags } from './der.ts';
import type { Certificate } from './x509.ts';

/**
 * SHA-256 of the certificates at https://www.apple.com/certificateauthority/ that issue to developers of programs.
 * Signatures carry the chain with its root, so that no certificate needs to be shipped.
 */
export const appleAnchors: readonly string[] = [
  // Apple Root CA, 2006 to 2035
  'b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024',
  // Developer ID Certification Authority, 2012 to 2027
  '7afc9d01a62f03a2de9637936d4afe68090d2de18d03f29c88cfb0b1ba63587f',
  // Developer ID Certification Authority, G2, 2020 to 2031
  'f16cd3c54c7f83cea4bf1a3e6a0819c8aaa8e4a1528fd144715f350643d2df3a',
];

/** Extensions by which Apple marks what a certificate is for. */
const markers: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113635.100.6.1.2', 'iOS development'],
  ['1.2.840.113635.100.6.1.3', 'App Store (iOS)'],
  ['1.2.840.113635.100.6.1.4', 'iOS distribution'],
  ['1.2.840.113635.100.6.1.7', 'Mac App Store submission'],
  ['1.2.840.113635.100.6.1.9', 'App Store (macOS)'],
  ['1.2.840.113635.100.6.1.12', 'Mac development'],
  ['1.2.840.113635.100.6.1.13', 'Developer ID Application'],
  ['1.2.840.113635.100.6.1.14', 'Developer ID Installer'],
]);
/** Certificates of the store itself: with these Apple vouches for the team that the code directory states. */
const storeMarkers: ReadonlySet<string> = new Set(['1.2.840.113635.100.6.1.3', '1.2.840.113635.100.6.1.9']);

const oidOrganizationalUnit = '2.5.4.11';

export interface AppleLeaf {
  readonly organizationalUnits: readonly string[];
  /** What the certificate is for, by the first marker that is known. */
  readonly kind: string | undefined;
  readonly isStore: boolean;
}

/**
 * Reads what only Apple's certificates have.
 *
 * @throws TelltaleError `malformed/signature`
 */
export function readAppleLeaf({ encoded }: Certificate): AppleLeaf {
  const fields = parseDer(encoded).child(0, 'a certificate').children();
  const first = fields[0]?.tag === tags.context(0) ? 1 : 0;
  const organizationalUnits: string[] = [];
  for (const set of fields[first + 4]?.children() ?? []) {
    for (const pair of set.children()) {
      const text = pair.child(1, 'the value of a name').tryText();
      if (pair.child(0, 'the type of a name').tryOid() === oidOrganizationalUnit && text !== undefined) {
        organizationalUnits.push(text);
      }
    }
  }
  const extensions = fields
    .slice(first + 6)
    .find(({ tag }) => tag === tags.context(3))
    ?.only('the extensions')
    .children();
  const oids = (extensions ?? []).flatMap((extension) => extension.child(0, 'an extension').tryOid() ?? []);
  return {
    organizationalUnits,
    kind: oids.map((oid) => markers.get(oid)).find((kind) => kind !== undefined),
    isStore: oids.some((oid) => storeMarkers.has(oid)),
  };
}
