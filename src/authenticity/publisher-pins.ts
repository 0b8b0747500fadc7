/**
 * Publisher pins: certificates that a publisher is known to have signed with, each for a period.
 *
 * A name proves nothing, anybody can make a certificate with any name. A fingerprint does. Names are compared only to
 * see who a signature *claims* to be by.
 */
import type { PinMatch } from './model.ts';
import type { Certificate } from './x509.ts';

/** Days as `YYYY-MM-DD`, both included. */
export interface PinPeriod {
  readonly from: string;
  readonly to: string;
}

/** Fingerprints in lower-case hexadecimal; `sha256` is used where both are given. */
export interface PinFingerprint {
  readonly sha1?: string | undefined;
  readonly sha256?: string | undefined;
}

/** The certificate that signs the files. */
export interface LeafPin extends PinFingerprint, PinPeriod {}

/** The certificate that issued it; it also serves others, so the subject of the leaf is part of the pin. */
export interface IntermediatePin extends PinFingerprint, PinPeriod {
  /** Exact common names. */
  readonly commonNames: readonly string[];
  /** Exact organisations; any, when absent. */
  readonly organizations?: readonly string[] | undefined;
}

/** A team of Apple's developer programme: Apple writes it into the certificates that it issues to the team. */
export interface AppleTeamPin {
  /** Ten letters and digits. */
  readonly team: string;
  /** Days as `YYYY-MM-DD`, included; open when absent. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** A certificate that signs Android packages; they carry no time, so the period is not checked. */
export interface AndroidPin extends PinPeriod {
  readonly sha256: string;
}

export interface Publisher {
  readonly id: string;
  readonly name: string;
  /** Names that a signer who claims to be this publisher would use. */
  readonly commonNames: readonly string[];
  readonly leaves: readonly LeafPin[];
  readonly intermediates: readonly IntermediatePin[];
  readonly appleTeams?: readonly AppleTeamPin[];
  /** Distinguished names that manifests of its Windows packages bear; only for claims, anybody can write them. */
  readonly appxPublishers?: readonly string[];
  readonly androidCertificates?: readonly AndroidPin[];
}

export interface PublisherPins {
  readonly publishers: readonly Publisher[];
  /** SHA-256 of certificates that stand for Apple, in lower-case hexadecimal; the built-in ones when absent. */
  readonly appleAnchors?: readonly string[];
}

/** What the pins say about one signer. */
export interface PinFinding {
  /** A pin that is met, also in its period. */
  readonly match: PinMatch | undefined;
  /** Why a pin whose fingerprint fits is not met; one plain sentence. */
  readonly refusal: string | undefined;
  /** Id of the publisher whose pin or name the signer bears. */
  readonly publisher: string | undefined;
}

/**
 * Looks a signer up in the pins.
 *
 * @param chain - leaf first, every link verified
 * @param chainIsSound - whether the certificates of the chain may do what they do here; an intermediate pin needs it
 * @param signingTime - milliseconds since 1970, verified; undefined when no timestamp proves it, which a pin
 *   tolerates and states (`timeProved: false`)
 */
export function matchPins(
  pins: PublisherPins,
  chain: readonly Certificate[],
  chainIsSound: boolean,
  signingTime: number | undefined,
): PinFinding {
  const [leaf, issuer] = chain;
  if (leaf === undefined) return { match: undefined, refusal: undefined, publisher: undefined };
  let refusal: string | undefined;
  let refusedFor: string | undefined;
  const consider = (
    publisher: Publisher,
    kind: PinMatch['kind'],
    pin: LeafPin | IntermediatePin,
    certificate: Certificate,
  ): PinMatch | undefined => {
    const fingerprint = tryFingerprint(pin, certificate);
    if (fingerprint === undefined) return undefined;
    const reason = toRefusal(pin, leaf, signingTime);
    if (reason === undefined) {
      const timeProved = signingTime !== undefined;
      return {
        publisher: publisher.id,
        kind,
        ...fingerprint,
        weak: fingerprint.algorithm === 'sha1',
        timeProved,
      };
    }
    refusal ??= reason;
    refusedFor ??= publisher.id;
    return undefined;
  };
  for (const publisher of pins.publishers) {
    for (const pin of publisher.leaves) {
      const match = consider(publisher, 'leaf', pin, leaf);
      if (match !== undefined) return { match, refusal: undefined, publisher: publisher.id };
    }
  }
  if (issuer !== undefined && chainIsSound) {
    for (const publisher of pins.publishers) {
      for (const pin of publisher.intermediates) {
        if (!isListed(leaf, pin)) continue;
        const match = consider(publisher, 'intermediate', pin, issuer);
        if (match !== undefined) return { match, refusal: undefined, publisher: publisher.id };
      }
    }
  }
  return { match: undefined, refusal, publisher: refusedFor ?? tryClaim(pins, leaf) };
}

/**
 * Looks the signer of an Android package up in the pins. The name in the certificate is free text that nobody checks, and
 * the genuine certificate bears the name too: bearing it is a claim only for a publisher whose certificates are known.
 *
 * @param certificates - the signer's own first, then those that handed over to it, each confirmed
 */
export function matchAndroidPins(pins: PublisherPins, certificates: readonly Certificate[]): PinFinding {
  const [signer] = certificates;
  if (signer === undefined) return { match: undefined, refusal: undefined, publisher: undefined };
  for (const { id, androidCertificates = [] } of pins.publishers) {
    for (const pin of androidCertificates) {
      const fingerprint = pin.sha256.toLowerCase();
      if (!certificates.some(({ summary }) => summary.sha256 === fingerprint)) continue;
      const match = {
        publisher: id,
        kind: 'leaf',
        algorithm: 'sha256',
        fingerprint,
        weak: false,
        timeProved: false,
      } as const;
      return { match, refusal: undefined, publisher: id };
    }
  }
  const known = pins.publishers.filter(({ androidCertificates = [] }) => androidCertificates.length > 0);
  return { match: undefined, refusal: undefined, publisher: tryClaim({ publishers: known }, signer) };
}

function tryFingerprint(
  pin: PinFingerprint,
  { summary }: Certificate,
): Pick<PinMatch, 'algorithm' | 'fingerprint'> | undefined {
  if (pin.sha256 !== undefined) {
    const fingerprint = pin.sha256.toLowerCase();
    return fingerprint === summary.sha256 ? { algorithm: 'sha256', fingerprint } : undefined;
  }
  const fingerprint = pin.sha1?.toLowerCase();
  return fingerprint !== undefined && fingerprint === summary.sha1
    ? { algorithm: 'sha1', fingerprint }
    : undefined;
}

/** A subject with several common names or organisations is not how any authority names a publisher: no match. */
function isListed({ subject }: Certificate, pin: IntermediatePin): boolean {
  const [commonName, ...otherNames] = subject.commonNames;
  if (commonName === undefined || otherNames.length > 0 || !pin.commonNames.includes(commonName))
    return false;
  if (pin.organizations === undefined) return true;
  const [organization, ...otherOrganizations] = subject.organizations;
  return (
    organization !== undefined && otherOrganizations.length === 0 && pin.organizations.includes(organization)
  );
}

function toRefusal(
  period: PinPeriod,
  leaf: Certificate,
  signingTime: number | undefined,
): string | undefined {
  if (signingTime === undefined) return undefined;
  const day = new Date(signingTime).toISOString().slice(0, 10);
  if (day < period.from || day > period.to) {
    return `the certificate is pinned from ${period.from} to ${period.to}, but the file was signed on ${day}`;
  }
  return signingTime < leaf.notBefore || signingTime > leaf.notAfter
    ? `the certificate is pinned, but it was not valid when the file was signed on ${day}`
    : undefined;
}

/** The publisher whose name a certificate bears, however it is written. */
export function tryClaim(pins: PublisherPins, leaf: Certificate): string | undefined {
  const names = toComparableNames(leaf.subject.commonNames);
  return pins.publishers.find(({ commonNames }) =>
    toComparableNames(commonNames).some((name) => names.includes(name)),
  )?.id;
}

/** Of lists that are still in use: the pins are asked for every signature. */
const comparableNames = new WeakMap<readonly string[], readonly string[]>();

function toComparableNames(names: readonly string[]): readonly string[] {
  const known = comparableNames.get(names);
  if (known !== undefined) return known;
  const made = names.map(toComparableName);
  comparableNames.set(names, made);
  return made;
}

/** Cyrillic and Greek letters that look like Latin ones. https://www.unicode.org/reports/tr39/ */
const lookAlikes: ReadonlyMap<string, string> = new Map(
  [
    'аa',
    'вb',
    'еe',
    'ԁd',
    'һh',
    'іi',
    'ӏl',
    'јj',
    'кk',
    'мm',
    'оo',
    'рp',
    'ԛq',
    'сc',
    'ѕs',
    'тt',
    'уy',
    'үy',
    'ԝw',
    'хx',
    'нh',
    'αa',
    'βb',
    'εe',
    'ηn',
    'ιi',
    'κk',
    'νv',
    'οo',
    'ρp',
    'τt',
    'υu',
    'χx',
    'ϲc',
    'ϳj',
    'ıi',
  ].map((pair) => [pair.slice(0, 1), pair.slice(1)]),
);

/**
 * A name as a hurried reader sees it: no case, spaces, punctuation, accents or width, look-alike letters folded.
 * `Skype Technologies S.A.` and `ＳКYPE Тechnologies SA` become the same. Only for claims, never for pins.
 */
export function toComparableName(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
  return Array.from(plain, (letter) => lookAlikes.get(letter) ?? letter).join('');
}
