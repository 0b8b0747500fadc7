/**
 * A whole number with its thousands apart: `1,337,960`. To write one as the language of a person does takes some
 * milliseconds when it is done for the first time, and English needs no more than this.
 */
export function toGrouped(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
