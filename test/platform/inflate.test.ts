import { randomBytes } from 'node:crypto';
import { deflateRawSync, deflateSync, gzipSync, constants, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Budget, defaultLimits } from '../../src/bytes/budget.ts';
import { type ByteSource, assertRange, toByteSource } from '../../src/bytes/byte-source.ts';
import { decodeDeflate } from '../../src/bytes/deflate.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import {
  type DeflateWrapper,
  type InflateEnd,
  adler32,
  crc32,
  inflate,
  tryInflateZlibBlock,
  ZlibDecoders,
} from '../../src/platform/inflate.ts';
import { createRandom } from '../mutation.ts';

async function collect(
  source: ByteSource,
  wrapper: DeflateWrapper,
): Promise<{ bytes: Buffer; end: InflateEnd | undefined; error: TelltaleError | undefined }> {
  const chunks: Uint8Array[] = [];
  let end: InflateEnd | undefined;
  let error: TelltaleError | undefined;
  try {
    for await (const chunk of inflate(source, wrapper, (at) => {
      end = at;
    }))
      chunks.push(chunk);
  } catch (thrown) {
    if (!(thrown instanceof TelltaleError)) throw thrown;
    error = thrown;
  }
  return { bytes: Buffer.concat(chunks), end, error };
}

/** Text that compresses, but not to nothing: words chosen by a seeded generator. */
function toProse(length: number, seed = 7): Buffer {
  const random = createRandom(seed);
  const words = ['skype', 'call', 'member', 'overlay', 'certificate', 'zh-cn', '\u6587', '0x1f', '\r\n'];
  let text = '';
  while (text.length < length)
    text += `${words[random(words.length)] ?? ''}${random(3) === 0 ? random(1e6) : ' '}`;
  return Buffer.from(text).subarray(0, length);
}

const wrappers = [
  ['raw', deflateRawSync],
  ['zlib', deflateSync],
  ['gzip', gzipSync],
] as const;

describe('when the stream is whole', () => {
  it.each(wrappers)('decodes %s and tells to the byte where it ended', async (wrapper, compress) => {
    for (const size of [0, 1, 65_535, 65_536, 1_000_000]) {
      const plain = toProse(size);
      const packed = compress(plain);
      const behind = Buffer.from([0x55, 0xaa, 0x00, 0x01, 0x02]);
      const { bytes, end, error } = await collect(toByteSource(Buffer.concat([packed, behind])), wrapper);
      expect(error).toBeUndefined();
      expect(bytes.equals(plain)).toBe(true);
      expect(end).toEqual({ consumedBytes: packed.length, producedBytes: size });
    }
  });

  it('ends right when the stream fills an input chunk exactly', async () => {
    // A stored block of n bytes takes n + 5: the stream is 65,536 bytes long.
    const packed = deflateRawSync(randomBytes(65_531), { level: 0 });
    expect(packed.length).toBe(65_536);
    const { end } = await collect(toByteSource(Buffer.concat([packed, Buffer.alloc(70_000)])), 'raw');
    expect(end?.consumedBytes).toBe(65_536);
  });

  it('joins concatenated gzip streams', async () => {
    const packed = Buffer.concat([gzipSync('one '), gzipSync('two')]);
    const { bytes, end } = await collect(toByteSource(packed), 'gzip');
    expect(bytes.toString()).toBe('one two');
    expect(end?.consumedBytes).toBe(packed.length);
  });
});

describe('when the stream is damaged in the middle', () => {
  it('yields every byte before the fault, far more than native zlib does', async () => {
    const plain = toProse(3_000_000);
    const packed = deflateRawSync(plain);
    const middle = packed.length >> 1;
    const damaged = Buffer.from(packed);
    // Damage a stretch: some of it decodes to wrong bytes, then a fault comes soon.
    for (let i = 0; i < 64; i += 1) damaged[middle + i] = 0xff;
    const { bytes, error } = await collect(toByteSource(damaged), 'raw');
    expect(error?.code).toBe('malformed/compressed-data');
    expect(error?.offset).toBeGreaterThanOrEqual(middle);
    let same = 0;
    while (same < bytes.length && bytes[same] === plain[same]) same += 1;
    // The bytes that the compressed half stands for, found by decoding exactly that half.
    const half = inflateRawSync(packed.subarray(0, middle), { finishFlush: constants.Z_SYNC_FLUSH });
    expect(same).toBeGreaterThanOrEqual(half.length);
    expect(bytes.subarray(0, half.length).equals(plain.subarray(0, half.length))).toBe(true);
  });

  it('loses nothing when a stored block is followed by a block of an unknown type', async () => {
    const stored = deflateRawSync(Buffer.alloc(300, 0x41), { level: 0 });
    stored[0] = 0; // not the last block
    const { bytes, error } = await collect(toByteSource(Buffer.concat([stored, Buffer.from([0x07])])), 'raw');
    expect(bytes.length).toBe(300);
    expect(error?.code).toBe('malformed/compressed-data');
  });

  it.each([['zlib', deflateSync] as const, ['gzip', gzipSync] as const])(
    'names a wrong checksum of %s after all bytes',
    async (wrapper, compress) => {
      const plain = toProse(10_000);
      const packed = compress(plain);
      const at = packed.length - (wrapper === 'zlib' ? 1 : 8);
      packed[at] = (packed[at] ?? 0) ^ 1;
      const { bytes, error } = await collect(toByteSource(packed), wrapper);
      expect(error?.code).toBe('malformed/checksum');
      expect(bytes.equals(plain)).toBe(true);
    },
  );
});

describe('when the stream is cut off', () => {
  it.each(wrappers)('yields what there is of %s and says that it is truncated', async (wrapper, compress) => {
    const plain = toProse(500_000);
    const packed = compress(plain);
    for (const kept of [packed.length - 9, packed.length >> 1, 20]) {
      const { bytes, error } = await collect(toByteSource(packed.subarray(0, kept)), wrapper);
      expect(error?.code).toBe('malformed/truncated');
      expect(plain.subarray(0, bytes.length).equals(bytes)).toBe(true);
      if (wrapper === 'raw') {
        const known = inflateRawSync(packed.subarray(0, kept), { finishFlush: constants.Z_SYNC_FLUSH });
        expect(bytes.length).toBe(known.length);
      }
    }
  });

  it('passes on a fault of the source', async () => {
    const packed = deflateRawSync(randomBytes(300_000));
    const source: ByteSource = {
      size: packed.length,
      read(offset, length) {
        assertRange(packed.length, offset, length);
        if (offset + length > 131_072) throw new TelltaleError('unreadable/changed', 'became shorter');
        return packed.subarray(offset, offset + length);
      },
    };
    const { error, bytes } = await collect(source, 'raw');
    expect(error?.code).toBe('unreadable/changed');
    expect(bytes.length).toBeGreaterThan(130_000);
  });
});

describe('when the stream is a bomb', () => {
  it('stops a 10 GB bomb by the budget, long before its end and in little memory', async () => {
    const block = deflateRawSync(Buffer.alloc(1 << 20), { level: 9, finishFlush: constants.Z_SYNC_FLUSH });
    const bomb = Buffer.concat(Array.from({ length: 10_240 }, () => block));
    const budget = new Budget(bomb.length, defaultLimits);
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    let chunks = 0;
    await expect(async () => {
      for await (const chunk of inflate(toByteSource(bomb), 'raw')) {
        budget.chargeBytes(chunk.length);
        chunks += 1;
        if (chunks % 256 === 0) peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      }
    }).rejects.toMatchObject({ code: expect.stringMatching(/^limit\//) });
    // The work is measured in bytes: the time depends on what else the machine does.
    expect(budget.bytesProduced).toBeLessThan(3 * 2 ** 30);
    expect(peak).toBeLessThan(256 * 1024 * 1024);
  });

  it('decodes little more than what is asked for', async () => {
    const bomb = deflateRawSync(Buffer.alloc(64 << 20));
    let reads = 0;
    const source: ByteSource = {
      size: bomb.length * 1000,
      read(_offset, length) {
        reads += 1;
        return bomb.subarray(0, Math.min(length, bomb.length));
      },
    };
    for await (const chunk of inflate(source, 'raw')) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(reads).toBeLessThanOrEqual(2);
  });
});

describe('when the header is not one', () => {
  it('refuses zlib and gzip headers by name', async () => {
    expect((await collect(toByteSource(Buffer.from('no')), 'zlib')).error?.code).toBe('malformed/header');
    expect((await collect(toByteSource(Buffer.from('no such magic')), 'gzip')).error?.code).toBe(
      'malformed/header',
    );
    expect((await collect(toByteSource(Buffer.from([0x1f, 0x8b, 8, 0])), 'gzip')).error?.code).toBe(
      'malformed/truncated',
    );
  });

  it('names a preset dictionary', async () => {
    const packed = deflateSync('skype skype', { dictionary: Buffer.from('skype') });
    expect((await collect(toByteSource(packed), 'zlib')).error?.code).toBe('unsupported/feature');
  });
});

describe('when the exact decoder is compared with the native one', () => {
  it('agrees on good streams of every kind of block', () => {
    for (const [level, strategy] of [
      [0, constants.Z_DEFAULT_STRATEGY],
      [1, constants.Z_DEFAULT_STRATEGY],
      [9, constants.Z_DEFAULT_STRATEGY],
      [6, constants.Z_FIXED],
      [6, constants.Z_HUFFMAN_ONLY],
      [6, constants.Z_RLE],
    ] as const) {
      for (const size of [0, 1, 257, 40_000, 700_001]) {
        const plain = toProse(size, size + level);
        const packed = deflateRawSync(plain, { level, strategy });
        const chunks: Uint8Array[] = [];
        const decoder = decodeDeflate(toByteSource(Buffer.concat([packed, Buffer.from([1, 2, 3])])));
        let next = decoder.next();
        while (!next.done) {
          chunks.push(next.value);
          next = decoder.next();
        }
        expect(Buffer.concat(chunks).equals(plain)).toBe(true);
        expect(next.value).toBe(packed.length);
      }
    }
  });

  it('agrees on 2,000 damaged streams whether they decode and to what', async () => {
    const plain = toProse(3000);
    const random = createRandom(11);
    let refused = 0;
    for (let index = 0; index < 2000; index += 1) {
      const packed = deflateRawSync(plain, index % 2 === 0 ? {} : { strategy: constants.Z_FIXED });
      for (let n = 0; n <= random(2); n += 1) packed[random(packed.length)] = random(256);
      let native: Buffer | undefined;
      try {
        native = inflateRawSync(packed);
      } catch {
        refused += 1;
      }
      const ours: Uint8Array[] = [];
      let fault: unknown;
      try {
        for (const chunk of decodeDeflate(toByteSource(packed))) ours.push(chunk);
      } catch (error) {
        fault = error;
      }
      if (native === undefined) expect(fault).toBeInstanceOf(TelltaleError);
      else {
        expect(fault).toBeUndefined();
        expect(Buffer.concat(ours).equals(native)).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(500);
  });
});

describe('when checksums are computed', () => {
  it('gives the published check values and goes on from earlier bytes', () => {
    const digits = Buffer.from('123456789');
    expect(crc32(digits)).toBe(0xcbf43926);
    expect(crc32(digits.subarray(4), crc32(digits.subarray(0, 4)))).toBe(0xcbf43926);
    expect(adler32(digits)).toBe(0x091e01de);
    expect(adler32(Buffer.alloc(100_000, 0xff))).toBe(
      deflateSync(Buffer.alloc(100_000, 0xff)).readUInt32BE(
        deflateSync(Buffer.alloc(100_000, 0xff)).length - 4,
      ),
    );
  });
});

describe('when zlib streams are decoded beside the caller', () => {
  const lengths = [100, 30_000, 200_000, 262_144, 1_048_576, 2_500_000];

  it.each(lengths)('takes the same for whole as in this thread: %i bytes', async (length) => {
    const plain = toProse(length);
    const packed = deflateSync(plain);
    const decoders = new ZlibDecoders();
    const decode = async (bytes: Uint8Array, expected = length): Promise<Uint8Array | undefined> => {
      const aside = await decoders.tryDecode(bytes, expected);
      expect(aside?.length).toBe(tryInflateZlibBlock(bytes, expected)?.length);
      return aside;
    };
    const isWhole = async (): Promise<boolean> => plain.equals((await decode(packed)) ?? Buffer.alloc(0));
    expect(await isWhole()).toBe(true);
    const faulty = [
      ...[1, 2, 3, 4, 5, 6].map((missing) => packed.subarray(0, -missing)),
      packed.subarray(0, packed.length / 2),
      new Uint8Array(0),
      Buffer.concat([packed, Buffer.alloc(1)]),
      Buffer.concat([packed, packed]),
      Buffer.from(packed).fill(0xff, 10, 20),
      Buffer.from(packed).fill(packed[0] === 0 ? 1 : 0, 0, 1),
      Buffer.from(packed).fill((packed.at(-1) ?? 0) ^ 1, packed.length - 1),
    ];
    for (const [index, bytes] of faulty.entries()) {
      expect([index, await decode(bytes)]).toEqual([index, undefined]);
      // What was wrong with one does not touch the next.
      if (index % 3 === 0) expect(await isWhole()).toBe(true);
    }
    for (const expected of [0, 1, length - 1, length + 1, 2 * length]) {
      expect(await decode(packed, expected)).toBeUndefined();
    }
    expect(await isWhole()).toBe(true);
    decoders.close();
    expect(await isWhole()).toBe(true);
  });

  it('decodes several at once, each for itself', async () => {
    const decoders = new ZlibDecoders();
    const plain = Array.from({ length: 40 }, (_, index) =>
      toProse(100_000 + 20_000 * (index % 9), index + 1),
    );
    const decoded = await Promise.all(
      plain.map(async (bytes, index) => {
        const packed = deflateSync(bytes);
        return await decoders.tryDecode(index % 7 === 3 ? packed.subarray(1) : packed, bytes.length);
      }),
    );
    for (const [index, bytes] of plain.entries()) {
      if (index % 7 === 3) expect(decoded[index]).toBeUndefined();
      else expect([index, bytes.equals(decoded[index] ?? Buffer.alloc(0))]).toEqual([index, true]);
    }
    decoders.close();
  });

  it('takes no more memory for a stream than is expected of it', async () => {
    const bomb = deflateSync(Buffer.alloc(256 * 1024 * 1024));
    const before = process.memoryUsage().rss;
    expect(await new ZlibDecoders().tryDecode(bomb, 100_000)).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });
});
