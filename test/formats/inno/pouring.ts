import { Budget, defaultLimits, type Limits } from '../../../src/bytes/budget.ts';
import { readChunks, toByteSource } from '../../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { type InnoOptions, type InnoSetup, tryOpenInno } from '../../../src/formats/inno/index.ts';
import type { Finding, MemberSink } from '../../../src/formats/model.ts';
import { parsePe } from '../../../src/formats/pe/parse.ts';
import { readResources } from '../../../src/formats/pe/resources.ts';

/** A file that was poured or refused. */
export interface PouredFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly declaredSize: number | undefined;
  readonly finding: Finding | undefined;
  readonly wasRefused: boolean;
}

export interface OpenedInstaller {
  readonly setup: InnoSetup | undefined;
  readonly findings: readonly Finding[];
  readonly parts: readonly {
    readonly name: string;
    readonly bytes: Buffer;
    readonly fault: TelltaleError | undefined;
  }[];
  readonly files: readonly PouredFile[];
  /** What pouring threw. */
  readonly thrown: TelltaleError | undefined;
  /** Passes over the files. */
  readonly passes: number;
}

export interface OpenSettings extends InnoOptions {
  readonly limits?: Partial<Limits>;
  /** How many bytes of files one pass has room for. */
  readonly roomPerPass?: number;
  readonly path?: string;
}

/** Opens an installer as the walker does and takes everything out of it. */
export async function openInstaller(
  bytes: Uint8Array,
  settings: OpenSettings = {},
): Promise<OpenedInstaller> {
  const findings: Finding[] = [];
  const budget = new Budget(bytes.length, { ...defaultLimits, ...settings.limits });
  const report = (finding: Finding): void => {
    findings.push(finding);
  };
  const context = {
    budget,
    report,
    ...(settings.path === undefined ? {} : { file: { path: settings.path } }),
  };
  const image = parsePe(toByteSource(bytes), () => {});
  const resources = readResources(image, budget, () => {});
  const setup = await tryOpenInno(image, resources, context, settings);
  const parts: { name: string; bytes: Buffer; fault: TelltaleError | undefined }[] = [];
  const files: PouredFile[] = [];
  let thrown: TelltaleError | undefined;
  let passes = 0;
  for (const { name, content } of setup?.members() ?? []) {
    const chunks: Uint8Array[] = [];
    let fault: TelltaleError | undefined;
    try {
      if (content.kind === 'source') chunks.push(...readChunks(content.source));
      if (content.kind === 'stream') for await (const chunk of content.open()) chunks.push(chunk.slice());
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      fault = error;
    }
    parts.push({ name, bytes: Buffer.concat(chunks), fault });
  }
  try {
    let from: number | undefined = 0;
    while (from !== undefined) {
      passes += 1;
      const next: number | undefined = await setup?.pour(
        createSink(files, budget, settings.roomPerPass),
        from,
      );
      if (next !== undefined && next <= from) throw new Error('does not come forward');
      from = next;
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    thrown = error;
  }
  return { setup, findings, parts, files, thrown, passes };
}

function createSink(files: PouredFile[], budget: Budget, room = Number.POSITIVE_INFINITY): MemberSink {
  let taken = 0;
  return {
    begin({ name }, declaredSize) {
      if (taken > 0 && taken + (declaredSize ?? 0) > room) return 'later';
      taken += declaredSize ?? 0;
      const chunks: Uint8Array[] = [];
      let isOver = false;
      return {
        write(chunk) {
          if (isOver) throw new Error(`bytes for ${name} after its end`);
          budget.chargeBytes(chunk.length);
          chunks.push(chunk.slice());
          return true;
        },
        end(finding) {
          if (isOver) throw new Error(`${name} ended twice`);
          isOver = true;
          files.push({ name, bytes: Buffer.concat(chunks), declaredSize, finding, wasRefused: false });
        },
      };
    },
    refuse({ name }, finding, declaredSize) {
      files.push({ name, bytes: Buffer.alloc(0), declaredSize, finding, wasRefused: true });
    },
  };
}

/** Names with digests' worth of detail: short enough to compare in one go. */
export function toContents(files: readonly PouredFile[]): readonly (readonly [string, string])[] {
  return files.map(({ name, bytes }) => [name, bytes.toString('latin1')] as const);
}
