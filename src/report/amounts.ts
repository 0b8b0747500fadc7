/** With thin grouping: `1,337,960`. */
export function toNumber(value: number): string {
  return value.toLocaleString('en-US');
}

/** Bytes with thin grouping: `1,337,960 bytes`. */
export function toBytes(bytes: number): string {
  return `${toNumber(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
