/**
 * IPA: programs for iOS as they come from the App Store, a ZIP archive with `Payload/Name.app` in it.
 *
 * Reference: https://developer.apple.com/documentation/xcode/packaging-and-distributing-apps
 *
 * Its members are those of the archive. What the package says of itself comes from Info.plist, from the store's
 * iTunesMetadata.plist (never who bought it) and from the provisioning profile; `SC_Info` shows that the App Store
 * encrypted the program.
 */
import { type ByteSource, toByteSource } from '../bytes/byte-source.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { listNames } from './apk/members.ts';
import type { Fact, Finding, Format, MemberContent, ReadContext, Reading } from './model.ts';
import { plistFormat, provisioningProfileFormat } from './plist.ts';
import { isFolder, openZipEntry, readZipArchive, type ZipEntry, zipFormat } from './zip.ts';

/** Of a property list in the package. */
const listBytesLimit = 8 * 1024 * 1024;
/** Programs of one package; the store takes one. */
const programsLimit = 4;

const infoPattern = /^Payload\/[^/]+\.app\/Info\.plist$/;
const profilePattern = /^Payload\/[^/]+\.app\/embedded\.mobileprovision$/;
const scInfoPattern = /^(Payload\/[^/]+\.app)\/SC_Info\/[^/]+\.sinf$/;
const storePattern = /^iTunesMetadata\.plist$/;

/** Bytes of a member, at most so many. @throws TelltaleError */
async function readMember(content: MemberContent, { budget }: ReadContext): Promise<Uint8Array> {
  switch (content.kind) {
    case 'unreadable':
      throw new TelltaleError(content.finding.code, content.finding.message);
    case 'source':
      if (content.source.size > listBytesLimit) throw tooLarge();
      return content.source.read(0, content.source.size);
    case 'stream': {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of content.open()) {
        budget.chargeBytes(chunk.length);
        size += chunk.length;
        if (size > listBytesLimit) throw tooLarge();
        chunks.push(Uint8Array.from(chunk));
      }
      const whole = new Uint8Array(size);
      let at = 0;
      for (const chunk of chunks) {
        whole.set(chunk, at);
        at += chunk.length;
      }
      return whole;
    }
  }
}

function tooLarge(): TelltaleError {
  return new TelltaleError('limit/memory', `has more than ${listBytesLimit} bytes`);
}

/** What a property list of the package says; what is wrong with it is reported when it is read as a member. */
async function readFacts(
  source: ByteSource,
  entry: ZipEntry,
  format: Format,
  context: ReadContext,
): Promise<readonly Fact[]> {
  const quiet: ReadContext = { budget: context.budget, report() {} };
  try {
    const bytes = await readMember(openZipEntry(source, entry, quiet), quiet);
    const { facts } = await format.read(toByteSource(bytes), quiet);
    return facts.map((fact) => ({ ...fact, region: entry.name }));
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code === 'limit/time') throw error;
    context.report(toFinding(entry, error));
    return [];
  }
}

function toFinding(entry: ZipEntry, error: TelltaleError): Finding {
  return {
    code: error.code,
    message: `"${entry.name.slice(0, 120)}" cannot be read: ${error.message}`,
    offset: entry.headerOffset,
    consequence: 'what the package says of itself is not known',
    incomplete: true,
  };
}

async function readIpa(source: ByteSource, context: ReadContext): Promise<Reading> {
  const reading = await zipFormat.read(source, context);
  // The archive is read again for its names; what is wrong with it was reported the first time.
  const { entries } = readZipArchive(source, { budget: context.budget, report() {} });
  const facts: Fact[] = [...reading.facts];
  const listed = entries.filter(
    (entry) => entry.view === 'directory' && !isFolder(entry) && entry.dataOffset !== undefined,
  );
  const pick = (pattern: RegExp): readonly ZipEntry[] =>
    listed.filter(({ name }) => pattern.test(name)).slice(0, programsLimit);
  const programs = new Set(listed.flatMap(({ name }) => /^Payload\/([^/]+\.app)\//.exec(name)?.[1] ?? []));
  if (programs.size > 1) {
    facts.push({
      kind: 'ambiguous',
      name: 'ipa.ambiguous',
      value: `there are ${programs.size} programs in Payload, where there is one`,
    });
  }
  for (const entry of [...pick(infoPattern), ...pick(storePattern)]) {
    facts.push(...(await readFacts(source, entry, plistFormat, context)));
  }
  for (const entry of pick(profilePattern)) {
    facts.push(...(await readFacts(source, entry, provisioningProfileFormat, context)));
  }
  const [seal] = pick(scInfoPattern);
  if (seal !== undefined) {
    facts.push({ kind: 'encrypted', value: 'FairPlay', detail: { member: seal.name.slice(0, 512) } });
  }
  return { ...reading, facts };
}

export const ipaFormat: Format = {
  id: 'ipa',
  title: 'iOS application package',
  nature: 'transport',
  extensions: ['ipa'],
  references: [
    'https://developer.apple.com/documentation/xcode/packaging-and-distributing-apps',
    'https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT',
  ],
  limitations: [
    'Compiled assets (Assets.car) and storyboards are not read.',
    'Who bought the program is in iTunesMetadata.plist and is never shown.',
    'Members packed with LZFSE, which the store sends to devices, are named, not read.',
  ],
  probe(_head, source) {
    for (const name of listNames(source)) if (/^Payload\/[^/]+\.app\//.test(name)) return true;
    return false;
  },
  read: readIpa,
};
