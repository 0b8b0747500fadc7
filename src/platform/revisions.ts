/** The smallest revision of a product that is accepted. Plain data: it crosses to workers. */
export interface Minimum {
  readonly product: string;
  readonly revision: string;
}

/** The id of a product, which is the name of its folder. */
export const productIdPattern = /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/;
/** Year, month, and where needed a number in that month. */
export const revisionPattern = /^\d{4}\.\d{2}(?:\.\d{1,9})?$/;

/** `PRODUCT=2026.11`; undefined for anything else. */
export function tryMinimum(text: string): Minimum | undefined {
  const equals = text.indexOf('=');
  const product = text.slice(0, Math.max(0, equals));
  const revision = text.slice(equals + 1);
  return productIdPattern.test(product) && revisionPattern.test(revision) ? { product, revision } : undefined;
}

/** Whether one revision comes before another, number by number; a part that is not there counts as 0. */
export function isOlder(revision: string, than: string): boolean {
  const left = revision.split('.').map(Number);
  const right = than.split('.').map(Number);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
