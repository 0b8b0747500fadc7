/**
 * Microsoft's structures inside an Authenticode signature: what was signed, and what the signer calls it.
 *
 * Specification: Windows Authenticode Portable Executable Signature Format
 * https://download.microsoft.com/download/9/c/5/9c5b2167-8017-4bae-9fde-d599bac8184a/Authenticode_PE.docx
 *
 * Not supported: page hashes (their presence is told), file links.
 */
import { toHex, toLatin1 } from '../bytes/cursor.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import { findAttribute, parseContent, type SignedData, type SignerInfo } from './cms.ts';
import { fromUtf16Be, tags, toDamage, toMalformed } from './der.ts';
import { parseDigestAlgorithm } from './x509.ts';

export const spcOids = {
  indirectData: '1.3.6.1.4.1.311.2.1.4',
  peImageData: '1.3.6.1.4.1.311.2.1.15',
  /** SpcSipInfo: a kind of file that the class identifier in it names; installer packages use it. */
  sipInfo: '1.3.6.1.4.1.311.2.1.30',
  programInfo: '1.3.6.1.4.1.311.2.1.12',
  nestedSignature: '1.3.6.1.4.1.311.2.4.1',
} as const;

/** Class identifier of SpcSerializedObject with page hashes, a6b586d5-b4a1-2466-ae05-a217da8e60d6. */
const pageHashClass = 'a6b586d5b4a12466ae05a217da8e60d6';

export interface IndirectData {
  readonly oid: string;
  readonly digest: DigestAlgorithm | undefined;
  readonly signedDigest: Uint8Array;
  /** Object identifier of the kind of file that was signed. */
  readonly subject: string;
  readonly hasPageHashes: boolean;
}

/** How the digest of a package of a Windows app begins: several digests, each behind a tag. */
export const packageDigestMark = 'APPX';

/** Length of a digest. */
export const digestBytes: Readonly<Record<DigestAlgorithm, number>> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

/** SpcIndirectDataContent: type and value of the data, then its DigestInfo. */
export function parseIndirectData(signedData: SignedData): IndirectData {
  if (signedData.contentType !== spcOids.indirectData) {
    throw toMalformed(
      `the signature is over ${signedData.contentType}, not over a file`,
      signedData.place.offset,
    );
  }
  const content = parseContent(signedData).expect(tags.sequence, 'the signed content');
  const data = content.child(0, 'the type of the data').expect(tags.sequence, 'the type of the data');
  const digestInfo = content.child(1, 'the digest').expect(tags.sequence, 'the digest');
  const { oid, digest } = parseDigestAlgorithm(digestInfo.child(0, 'the digest algorithm'));
  const signedDigest = digestInfo.child(1, 'the digest').expect(tags.octetString, 'the digest').content;
  const isPackageDigest = toLatin1(signedDigest.subarray(0, 4)) === packageDigestMark;
  if (digest !== undefined && !isPackageDigest && signedDigest.length !== digestBytes[digest]) {
    throw toMalformed(
      `the signed digest has ${signedDigest.length} bytes, too few or many for ${digest}`,
      digestInfo.offset,
    );
  }
  return {
    oid,
    digest,
    signedDigest,
    subject: data.child(0, 'the type of the data').toOid(),
    hasPageHashes: toHex(data.content.subarray(0, 256)).includes(pageHashClass),
  };
}

/** SpcSpOpusInfo: what the signer calls the program, and where it says that more can be read. A claim. */
export function parseProgramInfo(signer: SignerInfo): { programName?: string; url?: string } {
  const info: { programName?: string; url?: string } = {};
  try {
    const fields =
      findAttribute(signer.signedAttributes, spcOids.programInfo)
        ?.expect(tags.sequence, 'the program')
        .children() ?? [];
    for (const field of fields) {
      const value = field.only('a field of the program');
      if (field.tag === tags.context(0)) {
        const name =
          value.tag === tags.contextPrimitive(0)
            ? fromUtf16Be(value.content)
            : new TextDecoder().decode(value.content);
        info.programName = name;
      }
      if (field.tag === tags.context(1) && value.tag === tags.contextPrimitive(0))
        info.url = new TextDecoder().decode(value.content);
    }
  } catch (error) {
    // A name for people; a signature does not fail for it.
    toDamage(error);
  }
  return info;
}
