import { readFileSync } from 'node:fs';
import { corpus } from '../../corpus.ts';
import { createRandom } from '../../mutation.ts';

/** Named bytes for comparing digests with those of other tools. */
export type Sample = readonly [name: string, bytes: Uint8Array];

export function toRandomBytes(length: number, seed: number, alphabet = 256): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length }, () => random(alphabet));
}

/** Every length from 0 to 600. */
export const shortSamples: readonly Sample[] = Array.from({ length: 601 }, (_, length) => [
  `short-${length}`,
  toRandomBytes(length, 1000 + length),
]);

/** Around the sizes at which the block size of ssdeep and the length class of TLSH change. */
function toBorders(): readonly number[] {
  const blocks = Array.from({ length: 13 }, (_, level) => 192 * 2 ** level);
  const classes = Array.from({ length: 66 }, (_, index) =>
    Math.round(Math.exp((62.5472 + 22 + index) * 0.09531018)),
  );
  return [...blocks, 656, 3199, ...classes].flatMap((size) => [size - 1, size, size + 1]);
}

const noise = toRandomBytes(1_000_000, 7);

export const borderSamples: readonly Sample[] = [...new Set(toBorders())]
  .filter((size) => size < noise.length)
  .map((size) => [`border-${size}`, noise.subarray(0, size)]);

/** Little information: few pieces, or very many. */
export const uniformSamples: readonly Sample[] = [
  ['zeros', new Uint8Array(50_000)],
  ['zeros-then-one', Uint8Array.from([...new Uint8Array(50_000), 1])],
  ['one-then-zeros', Uint8Array.from([1, ...new Uint8Array(50_000)])],
  ['two-values', toRandomBytes(70_000, 11, 2)],
  ['three-values', toRandomBytes(700_000, 12, 3)],
  ['ten-values', toRandomBytes(90_000, 13, 10)],
  ['counting', Uint8Array.from({ length: 60_000 }, (_, index) => index)],
  ['short-period', Uint8Array.from({ length: 400_000 }, (_, index) => index % 21)],
  [
    'noise-in-zeros',
    Uint8Array.from({ length: 300_000 }, (_, index) => (index % 5000 < 100 ? (noise[index] ?? 0) : 0)),
  ],
  [
    'noise-then-zeros',
    Uint8Array.from({ length: 300_000 }, (_, index) => (index < 150_000 ? (noise[index] ?? 0) : 0)),
  ],
  [
    'zeros-then-noise',
    Uint8Array.from({ length: 300_000 }, (_, index) => (index > 290_000 ? (noise[index] ?? 0) : 0)),
  ],
];

const corpusNames = [
  'windows-stub-4.0.0.226/SkypeSetup.exe',
  'windows-stub-5.0.0.156/SkypeSetup.exe',
  'windows-stub-6.3.0.105/SkypeSetup.exe',
  'windows-stub-6.3.0.105-edited/SkypeSetup.exe',
  'windows-stub-6.22.64.107/SkypeSetup.exe',
  'windows-stub-7.2.0.103/SkypeSetup.exe',
  'windows-stub-7.40.66.104/SkypeSetup.exe',
  'windows-skype4com-1.0.31.0/Skype4COM.dll',
  'windows-skype4com-1.0.36.0/Skype4COM.dll',
  'windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm',
  'windows-unsigned-media-dll-7.41/VideoN.dll',
  'portableapps-nsis-launcher/sPortable.exe',
  'not-skype-ps2exe-wrapper/Skype.exe',
  'not-skype-html-named-deb/skype-install.deb',
];

/** Programs: pieces of the one that runs this test, and the corpus where it is. */
export function readRealSamples(): readonly Sample[] {
  const node = readFileSync(process.execPath);
  const samples: Sample[] = [0, 1, 2, 3].map((part) => [
    `node-${part}`,
    node.subarray(part * 9_000_000, part * 9_000_000 + 3_000_001 + part),
  ]);
  if (corpus.available) {
    for (const name of corpusNames)
      samples.push([name.replaceAll('/', '-'), readFileSync(corpus.path(name))]);
  }
  return samples;
}

/** Pairs of alike data: one program and itself with bytes changed, put in and taken away. */
export function toEditedSamples(name: string, bytes: Uint8Array): readonly Sample[] {
  const cut = (at: number, length: number, put: Uint8Array): Uint8Array =>
    Uint8Array.from(Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + length)]));
  return [
    [`${name}-changed`, cut(1000, 20, toRandomBytes(20, 21))],
    [`${name}-put-in`, cut(5000, 0, toRandomBytes(3000, 22))],
    [`${name}-taken-away`, cut(bytes.length >> 1, bytes.length >> 3, new Uint8Array(0))],
    [`${name}-half`, bytes.subarray(0, bytes.length >> 1)],
    [`${name}-twice`, Uint8Array.from(Buffer.concat([bytes, bytes]))],
    [`${name}-front-changed`, cut(0, bytes.length >> 1, toRandomBytes(bytes.length >> 1, 23))],
  ];
}

/** Programs, alike ones, and what says little: every two of them are compared. */
export function readPairSamples(): readonly Sample[] {
  const programs = readRealSamples();
  return [
    ...programs,
    ...[...programs.slice(0, 1), ...programs.slice(-3)].flatMap((sample) => toEditedSamples(...sample)),
    ...uniformSamples,
  ];
}

/** The bytes in pieces of all sizes, empty ones among them; the same for the same seed. */
export function toChunks(bytes: Uint8Array, seed: number): readonly Uint8Array[] {
  const random = createRandom(seed);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = random(random(4) === 0 ? 5000 : 9);
    chunks.push(bytes.slice(at, at + length));
    at += length;
  }
  return chunks;
}
