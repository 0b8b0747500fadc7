import type { Budget } from '../bytes/budget.ts';
import type { Signable } from '../formats/model.ts';
import type * as Authenticode from './authenticode.ts';
import type { Authenticity } from './model.ts';
import type { PublisherPins } from './publisher-pins.ts';

/** Asking for a module that is loaded takes as long as checking a signature. */
let authenticode: Promise<typeof Authenticode> | undefined;

/**
 * Checks the signature of a parsed file. What checks one kind is loaded when the first file of that kind is met.
 *
 * @throws TelltaleError where a signature cannot be checked at all
 */
export async function verifySignable(
  signed: Signable,
  pins: PublisherPins,
  context: { readonly budget: Budget },
): Promise<Authenticity> {
  switch (signed.kind) {
    case 'pe': {
      const { verifyAuthenticode } = await (authenticode ??= import('./authenticode.ts'));
      return verifyAuthenticode(signed.image, pins, context);
    }
    case 'msi': {
      const { verifyMsi } = await import('./msi-signature.ts');
      return verifyMsi(signed.file, pins, context);
    }
    case 'macho': {
      const { verifyMachO } = await import('./apple-code-signature.ts');
      return verifyMachO(signed.program, pins, context);
    }
    case 'appx': {
      const { verifyAppx } = await import('./appx-signature.ts');
      return verifyAppx(signed.package, pins, context);
    }
    case 'apk': {
      const { verifyApk } = await import('./apk-signature.ts');
      return await verifyApk(signed.package, pins, context);
    }
  }
}
