import { describe, expect, it } from 'vitest';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { debControlFormat } from '../../../src/formats/shapes/deb-control.ts';
import { mutate } from '../../mutation.ts';
import { readAll } from '../reading.ts';

const control = [
  'Package: skypeforlinux',
  'Version: 8.58.0.93',
  'Architecture: amd64',
  'Maintainer: Somebody <a@example.org>',
  'Description: synthetic',
  ' with a second line',
  '',
].join('\n');
const bytes = new TextEncoder().encode(control);

describe('when a control file stands alone', () => {
  it('says which package it is of', async () => {
    const { reading } = await readAll(debControlFormat, bytes);
    expect(reading?.facts).toEqual([
      { kind: 'packageId', value: 'skypeforlinux' },
      { kind: 'packageField', name: 'Version', value: '8.58.0.93' },
      { kind: 'packageField', name: 'Architecture', value: 'amd64' },
      { kind: 'packageField', name: 'Maintainer', value: 'Somebody <a@example.org>' },
    ]);
  });

  it.each([
    ['prose', 'Package: a word that begins a letter.\nIt goes on.\n'],
    ['a control file without a version', 'Package: a\nArchitecture: all\n'],
    ['nothing', ''],
  ])('is not %s', (_, text) => {
    const other = new TextEncoder().encode(text);
    expect(debControlFormat.probe(other, toByteSource(other))).toBe(false);
  });

  it('survives 2,000 damaged copies', async () => {
    for (const mutant of mutate(bytes, 2000, 5)) {
      const { reading } = await readAll(debControlFormat, mutant.bytes);
      expect(reading?.facts.length ?? 0, mutant.description).toBeLessThan(20);
    }
  });
});
