import { generateSigningKey, parseSigningKey, type SigningKey } from '../../src/platform/signing-keys.ts';

export function createSigner(): SigningKey {
  return parseSigningKey(generateSigningKey(undefined).privatePem, undefined);
}

export const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** The three lines and the body of a pack, one character a byte. */
export function splitText(bytes: Uint8Array): { manifest: string; seal: string; body: string } {
  const [, manifest = '', seal = '', ...rest] = toText(bytes).split('\n');
  return { manifest, seal, body: rest.join('\n') };
}

/** A pack with any manifest, properly signed: what only the holder of the key can make. */
export function forge(
  signer: SigningKey,
  manifest: string,
  body: string,
  magic = 'telltale-pack/1',
): Uint8Array {
  const head = `${magic}\n${manifest}\n`;
  const signature = Buffer.from(signer.sign(toBytes(head))).toString('base64');
  return toBytes(`${head}${signer.publicKey.line.replace(':', ' ')} ${signature}\n${body}`);
}
