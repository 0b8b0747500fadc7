import { toGrouped } from '../bytes/amounts.ts';

/** Bytes with thin grouping: `1,337,960 bytes`. */
export function toBytes(bytes: number): string {
  return `${toGrouped(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
