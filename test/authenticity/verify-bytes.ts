import { verifyAuthenticode } from '../../src/authenticity/authenticode.ts';
import type { Authenticity } from '../../src/authenticity/model.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { type ByteSource, toByteSource } from '../../src/bytes/byte-source.ts';
import { parsePe } from '../../src/formats/pe/parse.ts';

/** Parses the headers and checks the signatures, with the default limits. */
export function verifyBytes(bytes: Uint8Array, pins: PublisherPins): Authenticity {
  return verifySource(toByteSource(bytes), pins);
}

export function verifySource(source: ByteSource, pins: PublisherPins): Authenticity {
  const image = parsePe(source, () => {});
  return verifyAuthenticode(image, pins, { budget: new Budget(source.size) });
}
