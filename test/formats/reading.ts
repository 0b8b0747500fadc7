import { Budget, type Limits, defaultLimits } from '../../src/bytes/budget.ts';
import { type ByteSource, readChunks, toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import type { Fact, Finding, Format, MemberContent, Reading } from '../../src/formats/model.ts';

/** What came out of one member: its bytes, and the fault that ended them. */
export interface ReadMember {
  readonly name: string;
  readonly relation: string;
  readonly kind: MemberContent['kind'];
  readonly containerOffset: number | undefined;
  readonly bytes: Buffer;
  readonly fault: TelltaleError | Finding | undefined;
  readonly facts: readonly Fact[];
}

/** Everything that reading an artifact gave, members decoded. */
export interface ReadResult {
  readonly reading: Reading | undefined;
  readonly findings: Finding[];
  readonly members: ReadMember[];
  /** What `read` or the iteration of the members threw. */
  readonly thrown: TelltaleError | undefined;
  /** Every fault that anyone would be told of. */
  readonly faults: number;
}

/**
 * Reads an artifact as the walker does: members in order, each decoded under the budget. Anything thrown that is not
 * a TelltaleError is thrown on.
 */
export async function readAll(
  format: Format,
  input: ByteSource | Uint8Array,
  options: { limits?: Partial<Limits>; path?: string; keepBytes?: boolean } = {},
): Promise<ReadResult> {
  const source = input instanceof Uint8Array ? toByteSource(input) : input;
  const budget = new Budget(source.size, { ...defaultLimits, ...options.limits });
  const findings: Finding[] = [];
  const members: ReadMember[] = [];
  let reading: Reading | undefined;
  let thrown: TelltaleError | undefined;
  const file = options.path === undefined ? {} : { file: { path: options.path } };
  try {
    reading = await format.read(source, { budget, report: (finding) => findings.push(finding), ...file });
    if (reading.members !== undefined) {
      for await (const member of reading.members()) {
        budget.chargeMember();
        const { content } = member;
        const chunks: Uint8Array[] = [];
        let fault: ReadMember['fault'];
        const take = (chunk: Uint8Array): void => {
          budget.chargeBytes(chunk.length);
          if (options.keepBytes !== false) chunks.push(chunk);
        };
        try {
          if (content.kind === 'stream') for await (const chunk of content.open()) take(chunk);
          else if (content.kind === 'source') {
            if (options.keepBytes !== false) for (const chunk of readChunks(content.source)) take(chunk);
          } else fault = content.finding;
        } catch (error) {
          if (!(error instanceof TelltaleError)) throw error;
          fault = error;
        }
        members.push({
          name: member.name,
          relation: member.relation,
          kind: content.kind,
          containerOffset: content.kind === 'source' ? content.containerOffset : undefined,
          bytes: Buffer.concat(chunks),
          fault,
          facts: member.facts ?? [],
        });
      }
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    thrown = error;
  }
  const faults =
    findings.length +
    members.filter(({ fault }) => fault !== undefined).length +
    (thrown === undefined ? 0 : 1);
  return { reading, findings, members, thrown, faults };
}
