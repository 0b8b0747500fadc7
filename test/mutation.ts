/** One damaged copy of a good input. */
export interface Mutant {
  readonly bytes: Uint8Array;
  /** What was done, to reproduce it. */
  readonly description: string;
}

/** A small deterministic generator of numbers (mulberry32), 0 <= n < bound. */
export function createRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound);
  };
}

const interesting = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
] as const;

/**
 * Damaged copies of `seed`, the same ones for the same numbers: flipped bits, overwritten numbers of interest,
 * removed and repeated ranges, cut ends.
 */
export function* mutate(seed: Uint8Array, count: number, prngSeed = 1): Generator<Mutant> {
  const random = createRandom(prngSeed);
  for (let index = 0; index < count; index += 1) {
    let bytes = Uint8Array.from(seed);
    const done: string[] = [];
    const rounds = 1 + random(4);
    for (let round = 0; round < rounds && bytes.length > 8; round += 1) {
      // Headers are at the front of most formats: half of the damage goes there.
      const at = random(2) === 0 ? random(Math.min(bytes.length, 1024)) : random(bytes.length);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      switch (random(6)) {
        case 0:
          bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
          done.push(`flip@${at}`);
          break;
        case 1:
          bytes[at] = random(256);
          done.push(`byte@${at}`);
          break;
        case 2:
          if (at + 4 <= bytes.length) view.setUint32(at, interesting[random(interesting.length)] ?? 0, true);
          done.push(`u32@${at}`);
          break;
        case 3:
          if (at + 2 <= bytes.length)
            view.setUint16(at, (interesting[random(interesting.length)] ?? 0) & 0xffff, true);
          done.push(`u16@${at}`);
          break;
        case 4: {
          const length = 1 + random(Math.min(64, bytes.length - at));
          bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
          done.push(`cut@${at}+${length}`);
          break;
        }
        default:
          if (random(3) === 0) {
            bytes = bytes.slice(0, at + 1);
            done.push(`end@${at + 1}`);
          } else {
            const from = random(bytes.length);
            bytes.copyWithin(at, from, from + 1 + random(32));
            done.push(`copy@${at}<${from}`);
          }
      }
    }
    yield { bytes, description: `#${index} ${done.join(' ')}` };
  }
}
