import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { Budget, defaultLimits, type Limits } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { tryToStoredMembers } from '../../src/formats/index.ts';
import type { Artifact } from '../../src/scan/model.ts';
import { PassingMembers } from '../../src/scan/passing-members.ts';
import { Walk } from '../../src/scan/walk.ts';
import { type Hits, Matcher } from '../../src/signatures/match.ts';
import { hasTools, runTool } from '../end-to-end/packing.ts';
import { shippedKnowledge } from '../end-to-end/scan-bytes.ts';
import { createRandom, mutate } from '../mutation.ts';

const isPossible = hasTools(['tar', 'ar']);
if (!isPossible) console.warn('SKIPPED: members in passing, because tar or ar is not installed');

const work = mkdtempSync(join(tmpdir(), 'telltale-passing-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** A program between words of the product that end at its borders. */
function makeFile(size: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const bytes = Uint8Array.from({ length: size }, () => random(256));
  if (size > 100_000) bytes.set(buildTomSkype(), 0);
  for (const at of [0, size - 13, 262_144 - 5, random(Math.max(1, size - 50_000))])
    if (at >= 0 && at + 13 <= size && (at > 0 || seed % 2 === 1)) bytes.set(Buffer.from('skype.tom.com'), at);
  return bytes;
}

const sizes = [0, 13, 65_535, 65_536, 70_001, 262_144, 600_000] as const;
const files = new Map(sizes.map((size, seed) => [`file-${seed}`, makeFile(size, seed)]));

const long = '-long'.repeat(30);

function pack(kind: string): Uint8Array {
  const folder = join(work, 'files');
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  const path = join(work, `${kind}.bin`);
  rmSync(path, { force: true });
  const names = [...files.keys()];
  if (kind === 'ar') runTool('ar', ['rc', path, ...names], folder);
  // Some formats have headers of their own for long names.
  else if (kind === 'ustar') runTool('tar', ['--format=ustar', '-cf', path, ...names], folder);
  else runTool('tar', [`--format=${kind}`, `--transform=s/$/${long}/`, '-cf', path, ...names], folder);
  return new Uint8Array(readFileSync(path));
}

interface Seen {
  readonly root: Artifact;
  readonly hits: ReadonlyMap<string, Hits>;
}

async function scan(name: string, bytes: Uint8Array, limits: Partial<Limits> = {}): Promise<Seen> {
  const hits = new Map<string, Hits>();
  const onlookers = { witness: (artifact: Artifact, found: Hits) => hits.set(artifact.name, found) };
  const budget = new Budget(bytes.length, { ...defaultLimits, ...limits });
  const walk = new Walk(shippedKnowledge(), budget, onlookers);
  return { root: await walk.run(name, toByteSource(bytes)), hits };
}

/** Everything that hits tell. */
function toTold(hits: Hits | undefined): unknown {
  if (hits === undefined) return undefined;
  const { probes } = shippedKnowledge().compiled;
  return { probes: probes.map((probe) => hits.get(probe)), marks: hits.marks, isCutShort: hits.isCutShort };
}

/** What passes of a container, fed in chunks of a size. */
function pass(bytes: Uint8Array, chunkBytes: number): PassingMembers {
  const layout = tryToStoredMembers(bytes.subarray(0, 4096));
  if (layout === undefined) throw new Error('is not a container of stored members');
  const matcher = new Matcher(shippedKnowledge().compiled);
  const passing = new PassingMembers(layout, matcher, ['sha256']);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    passing.update(chunk);
    matcher.update(chunk);
  }
  matcher.finish();
  return passing;
}

describe.skipIf(!isPossible)('when members lie in their container as they are', () => {
  it.each(['ar', 'gnu', 'ustar', 'pax'])('says of each what is said of it alone: %s', async (kind) => {
    const bytes = pack(kind);
    const { root, hits } = await scan('container', bytes);
    expect(root.problems).toEqual([]);
    expect(root.members.map(({ name }) => name.replace(long, ''))).toEqual([...files.keys()]);
    for (const member of root.members) {
      const file = files.get(member.name.replace(long, ''));
      const alone = await scan(member.name, file ?? new Uint8Array(0));
      const { observations, facts, regions, members, digests, size, format } = alone.root;
      expect({ ...member, digests: member.digests['sha256'] }).toMatchObject({
        facts,
        regions,
        size,
        format,
        digests: digests['sha256'],
      });
      expect(member.observations.map(({ telltales }) => telltales)).toEqual(
        observations.map(({ telltales }) => telltales),
      );
      expect(member.members.length).toBe(members.length);
      expect(toTold(hits.get(member.name))).toEqual(toTold(alone.hits.get(member.name)));
    }
  });

  it('finds every member of 64 KiB and more, however the bytes are cut', () => {
    const bytes = pack('gnu');
    const large = [...files.values()].filter(({ length }) => length >= 65_536);
    for (const chunkBytes of [777, 4096, 100_000, bytes.length]) {
      const passing = pass(bytes, chunkBytes);
      for (const file of large) {
        const at = Buffer.from(bytes).indexOf(file);
        expect(passing.tryFind(at, file.length)?.digests).toEqual(
          pass(bytes, 5000).tryFind(at, file.length)?.digests,
        );
        expect(passing.tryFind(at, file.length)).toBeDefined();
        expect(passing.tryFind(at, file.length - 1)).toBeUndefined();
        expect(passing.tryFind(at + 1, file.length)).toBeUndefined();
      }
    }
  });

  it('charges members as if they were read again, and says where the bytes ran out', async () => {
    const bytes = pack('gnu');
    const all = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    const whole = await scan('container', bytes, { bytesProduced: all + 100_000 });
    expect(whole.root.problems).toEqual([]);
    const cut = await scan('container', bytes, { bytesProduced: all - 100_000 });
    const last = cut.root.members.at(-1);
    expect(last?.problems.map(({ code }) => code)).toEqual(['limit/bytes']);
    expect(last?.size).toBeGreaterThan(0);
    expect(last?.size).toBeLessThan(600_000);
  });

  it('never mistakes one member for another in what is damaged', async () => {
    const seed = pack('ustar');
    const names = new Set<string>();
    for (const { bytes, description } of mutate(seed, 12, 3)) {
      const { root } = await scan('container', bytes);
      for (const member of root.members) {
        if (member.containerOffset === undefined || member.size === undefined) continue;
        names.add(member.name);
        const range = bytes.subarray(member.containerOffset, member.containerOffset + member.size);
        const alone = await scan(member.name, range);
        expect(member.digests['sha256'], description).toBe(alone.root.digests['sha256']);
      }
    }
    expect(names.size).toBeGreaterThan(3);
  });
});
