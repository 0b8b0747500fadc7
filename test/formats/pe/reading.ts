import type { PeFixtureOptions } from '../../../fixtures/pe-builder.ts';
import { Budget } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import type { Fact, Finding, Member, Region } from '../../../src/formats/model.ts';
import type { PeImage } from '../../../src/formats/pe/image.ts';
import { peFormat } from '../../../src/formats/pe/index.ts';

export interface PeReading {
  readonly image: PeImage;
  readonly facts: readonly Fact[];
  readonly regions: readonly Region[];
  readonly members: readonly Member[];
  readonly findings: readonly Finding[];
}

/** Everything that the format gives for some bytes. */
export function readPe(bytes: Uint8Array): PeReading {
  const findings: Finding[] = [];
  const reading = peFormat.read(toByteSource(bytes), {
    budget: new Budget(bytes.length),
    report: (finding) => {
      findings.push(finding);
    },
  });
  if (reading instanceof Promise) throw new Error('reading is synchronous');
  if (reading.signed?.kind !== 'pe') throw new Error('no image');
  const members: Member[] = [];
  const iterable = reading.members?.() ?? [];
  if (!(Symbol.iterator in iterable)) throw new Error('members are synchronous');
  for (const member of iterable) members.push(member);
  return { image: reading.signed.image, facts: reading.facts, regions: reading.regions, members, findings };
}

/** The bytes of a member that has random access. */
export function toMemberBytes(member: Member | undefined): Uint8Array {
  if (member?.content.kind !== 'source') throw new Error('not a member with random access');
  return member.content.source.read(0, member.content.source.size);
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

export const manifestXml =
  '<?xml version="1.0"?><assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">' +
  '<!-- <assemblyIdentity name="Commented.Out"/> --><dependency><dependentAssembly>' +
  '<assemblyIdentity type="win32" name="Microsoft.Windows.Common-Controls" version="6.0.0.0"/>' +
  '</dependentAssembly></dependency>' +
  '<assemblyIdentity type="win32" name="Skype.SkypeSetup" version="4.0.0.226"/></assembly>';

/** A fixture with one of everything that the reader knows. */
export function fullOptions(machine: 'x86' | 'x64'): PeFixtureOptions {
  return {
    machine,
    dll: true,
    sections: [{ name: '.data', data: ascii('something.example '.repeat(20)), characteristics: 0xc0000040 }],
    versionInfo: {
      CompanyName: 'Skype Technologies S.A.',
      FileDescription: 'Skype Setup',
      ProductName: 'Skype\u2122',
      ProductVersion: '4.0.0.226',
    },
    fileVersion: '4.0.0.225',
    language: 1033,
    resources: [
      { type: 10, name: 101, language: 1033, data: ascii('MZ is how programs start') },
      { type: 10, name: 102, language: 1031, data: ascii('zwei Sprachen, deutsch') },
      { type: 10, name: 102, language: 1033, data: ascii('two languages, English') },
      { type: 10, name: 'TINY', data: ascii('tiny') },
      { type: 'LANGZIP', name: 'LANG_EN', language: 0, data: ascii('\ufefftext of the program') },
      { type: 3, name: 1, data: ascii('an icon, which is no member') },
      { type: 2, name: 7, data: Uint8Array.of(0x4d, 0x53, 0x43, 0x46, 1, 2, 3, 4) },
      { type: 24, name: 1, data: ascii(manifestXml) },
    ],
    imports: [
      { library: 'KERNEL32.dll', symbols: ['ExitProcess', 'GetProcAddress'] },
      { library: 'WSOCK32.dll', symbols: ['#115', '#1'] },
      { library: 'oleaut32.DLL', symbols: ['#6', 'VariantInit'] },
      { library: 'mfc42.dll', symbols: ['#1000'] },
      { library: 'winspool.drv', symbols: ['OpenPrinterA'] },
    ],
    exports: { moduleName: 'Fixture.dll', names: ['Zeta', 'Alpha', 'Beta'] },
    pdbPath: 'd:\\build\\skype\\Fixture.pdb',
    timeDateStamp: 1_246_406_400,
    richEntries: [
      { id: 0x005d_0c05, count: 12 },
      { id: 0x0000_0001, count: 90 },
    ],
    dotnetVersion: 'v2.0.50727',
    overlay: ascii('PK overlay of odd length.'),
  };
}
