import type { Reading, Signable } from '../../src/formats/model.ts';

/** What a reading offers for checking, when it is of the kind that the test expects. */
export function toSigned<Kind extends Signable['kind']>(
  reading: Reading | undefined,
  kind: Kind,
): Extract<Signable, { kind: Kind }> | undefined {
  const signed = reading?.signed;
  return signed !== undefined && isOfKind(signed, kind) ? signed : undefined;
}

function isOfKind<Kind extends Signable['kind']>(
  signed: Signable,
  kind: Kind,
): signed is Extract<Signable, { kind: Kind }> {
  return signed.kind === kind;
}
