import { verifyApk } from '../../src/authenticity/apk-signature.ts';
import type { Authenticity } from '../../src/authenticity/model.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { Budget, defaultLimits } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { apkFormat } from '../../src/formats/apk/index.ts';
import type { Format } from '../../src/formats/model.ts';
import { toSigned } from '../formats/signed.ts';

/** Reads a package and checks its signatures, as the walker does. */
export async function verifyApkBytes(
  bytes: Uint8Array,
  pins: PublisherPins = { publishers: [] },
  format: Format = apkFormat,
  milliseconds = defaultLimits.milliseconds,
): Promise<Authenticity> {
  const source = toByteSource(bytes);
  const budget = new Budget(source.size, { ...defaultLimits, milliseconds });
  const androidPackage = toSigned(await format.read(source, { budget, report: () => {} }), 'apk')?.package;
  if (androidPackage === undefined) throw new Error('is no package');
  return await verifyApk(androidPackage, pins, { budget });
}
