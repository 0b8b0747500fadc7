import { createHash } from 'node:crypto';
import { Budget, defaultLimits, type Limits } from '../../src/bytes/budget.ts';
import { type ByteSource, readChunks, readUpTo, toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import {
  type Fact,
  type Finding,
  type Format,
  FoundFault,
  type Member,
  type MemberInflow,
} from '../../src/formats/model.ts';
import { sevenZipArchiveFormats, sevenZipVolumeFormats } from '../../src/formats/sevenzip/index.ts';
import { udifFormat } from '../../src/formats/udif/index.ts';

/** One member as it arrived. */
export interface PouredMember {
  readonly name: string;
  readonly declaredSize: number | undefined;
  /** Bytes that arrived, and their digest. */
  size: number;
  sha256: string;
  finding: Finding | undefined;
  /** Kept when wanted. */
  readonly chunks: Uint8Array[];
  isEnded: boolean;
}

export interface PourResult {
  readonly format: string;
  readonly facts: readonly Fact[];
  readonly findings: readonly Finding[];
  readonly members: readonly PouredMember[];
  /** The first number of each pass. */
  readonly passes: readonly number[];
  readonly thrown: TelltaleError | undefined;
  /** Every fault that anyone would be told of. */
  readonly faults: number;
}

export interface PourOptions {
  readonly limits?: Partial<Limits>;
  readonly keepBytes?: boolean;
  /** Members for which there is room in one pass. */
  readonly membersPerPass?: number;
  /** A clock for the budget, in milliseconds. */
  readonly now?: () => number;
}

export const sevenZipFormats: readonly Format[] = [...sevenZipArchiveFormats, ...sevenZipVolumeFormats];

/** The format of the table that knows the bytes, or the disk image that pours as they do. */
export function identifySevenZip(source: ByteSource): Format {
  const head = readUpTo(source, 0, 4096);
  const format = [...sevenZipFormats, udifFormat].find((candidate) => candidate.probe(head, source));
  if (format === undefined) throw new Error('no format knows these bytes');
  return format;
}

/** Takes a member that is opened one by one, as the walk does. */
async function takeMember(
  { name, content }: Member,
  budget: Budget,
  options: PourOptions,
): Promise<PouredMember> {
  const hash = createHash('sha256');
  const entry: PouredMember = {
    name,
    declaredSize: content.kind === 'source' ? content.source.size : content.declaredSize,
    size: 0,
    sha256: '',
    finding: content.kind === 'unreadable' ? content.finding : undefined,
    chunks: [],
    isEnded: true,
  };
  try {
    const chunks =
      content.kind === 'source'
        ? readChunks(content.source)
        : content.kind === 'stream'
          ? content.open()
          : [];
    for await (const chunk of chunks) {
      budget.chargeBytes(chunk.length);
      entry.size += chunk.length;
      hash.update(chunk);
      if (options.keepBytes === true) entry.chunks.push(chunk.slice());
    }
  } catch (error) {
    if (error instanceof FoundFault) entry.finding = error.finding;
    else if (error instanceof TelltaleError)
      entry.finding = { code: error.code, message: error.message, consequence: '', incomplete: true };
    else throw error;
  }
  entry.sha256 = hash.digest('hex');
  return entry;
}

/** A stand-in for the walk: takes members, charges the budget, asks for the rest in another pass. */
export async function pourAll(
  input: Uint8Array | ByteSource,
  options: PourOptions = {},
  given?: Format,
): Promise<PourResult> {
  const source = input instanceof Uint8Array ? toByteSource(input) : input;
  const format = given ?? identifySevenZip(source);
  const budget = new Budget(source.size, { ...defaultLimits, ...options.limits }, options.now);
  const findings: Finding[] = [];
  const members: PouredMember[] = [];
  const passes: number[] = [];
  let facts: readonly Fact[] = [];
  let thrown: TelltaleError | undefined;
  const gate = { isClosed: false };
  try {
    const reading = await format.read(source, { budget, report: (finding) => findings.push(finding) });
    facts = reading.facts;
    for await (const member of reading.members?.() ?? []) {
      members.push(await takeMember(member, budget, options));
      if (members.at(-1)?.finding?.code.startsWith('limit/') === true) gate.isClosed = true;
      if (gate.isClosed) break;
    }
    let from: number | undefined = 0;
    while (from !== undefined && reading.pour !== undefined && !gate.isClosed) {
      passes.push(from);
      let inThisPass = 0;
      const next: number | undefined = await reading.pour(
        {
          begin(member, declaredSize): MemberInflow | 'later' | 'stop' {
            if (gate.isClosed) return 'stop';
            if (inThisPass >= (options.membersPerPass ?? Number.POSITIVE_INFINITY)) return 'later';
            inThisPass += 1;
            const hash = createHash('sha256');
            const entry: PouredMember = {
              name: member.name,
              declaredSize,
              size: 0,
              sha256: '',
              finding: undefined,
              chunks: [],
              isEnded: false,
            };
            members.push(entry);
            return {
              write(chunk) {
                try {
                  budget.chargeBytes(chunk.length);
                } catch (error) {
                  if (!(error instanceof TelltaleError)) throw error;
                  const { code, message } = error;
                  entry.finding = { code, message, consequence: '', incomplete: true };
                  gate.isClosed = true;
                  return false;
                }
                entry.size += chunk.length;
                hash.update(chunk);
                if (options.keepBytes === true) entry.chunks.push(chunk.slice());
                return true;
              },
              end(finding) {
                if (entry.isEnded) throw new Error(`"${entry.name}" is ended twice`);
                entry.isEnded = true;
                entry.finding ??= finding;
                entry.sha256 = hash.digest('hex');
              },
            };
          },
          refuse(member, finding, declaredSize) {
            members.push({
              name: member.name,
              declaredSize,
              size: 0,
              sha256: '',
              finding,
              chunks: [],
              isEnded: true,
            });
          },
        },
        from,
      );
      if (next !== undefined && next <= from) throw new Error('does not come forward');
      from = next;
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    thrown = error;
  }
  if (members.some(({ isEnded }) => !isEnded)) throw new Error('a member was never ended');
  const faults =
    findings.length +
    members.filter(({ finding }) => finding !== undefined).length +
    (thrown === undefined ? 0 : 1);
  return { format: format.id, facts, findings, members, passes, thrown, faults };
}
