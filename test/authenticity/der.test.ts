import { describe, expect, it } from 'vitest';
import * as writer from '../../fixtures/der-writer.ts';
import {
  elementsMax,
  fromUtf16Be,
  indefiniteDepthMax,
  parseDer,
  tryDeclaredLength,
} from '../../src/authenticity/der.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { mutate } from '../mutation.ts';

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

function time(tag: number, text: string): number {
  return parseDer(writer.element(tag, new TextEncoder().encode(text))).toTime();
}

describe('when DER is well formed', () => {
  it('opens structures and keeps places', () => {
    const outer = parseDer(writer.sequence(writer.integer(5), writer.octetString(bytes(1, 2, 3))), 100);
    expect(outer.children().map(({ tag, offset }) => [tag, offset])).toEqual([
      [0x02, 102],
      [0x04, 105],
    ]);
    expect(outer.child(0, 'a number').toSmallInteger()).toBe(5);
    expect([...outer.child(1, 'a string').octets()]).toEqual([1, 2, 3]);
  });

  it('reads long lengths', () => {
    const long = writer.octetString(new Uint8Array(70_000));
    expect(parseDer(long).content).toHaveLength(70_000);
    expect(tryDeclaredLength(long.subarray(0, 8))).toBe(long.length);
  });

  it.each([
    '1.2.840.113549.1.7.2',
    '2.5.4.3',
    '2.999.3',
    '0.9.2342.19200300.100.1.25',
    '1.3.6.1.4.1.311.2.1.4',
  ])('reads the object identifier %s', (dotted) => {
    expect(parseDer(writer.oid(dotted)).toOid()).toBe(dotted);
  });

  it.each([
    [0x17, '090416104119Z', '2009-04-16T10:41:19.000Z'],
    [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [0x17, '0904161041Z', '2009-04-16T10:41:00.000Z'],
    [0x17, '090416124119+0200', '2009-04-16T10:41:19.000Z'],
    [0x18, '20171010152151.05Z', '2017-10-10T15:21:51.050Z'],
    [0x18, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
  ])('reads the time %i %s', (tag, text, expected) => {
    expect(new Date(time(tag, text)).toISOString()).toBe(expected);
  });

  it('reads character strings of all the usual types', () => {
    expect(parseDer(writer.utf8String('Скайп')).tryText()).toBe('Скайп');
    expect(parseDer(writer.element(0x1e, writer.toUtf16Be('Скайп'))).tryText()).toBe('Скайп');
    expect(parseDer(writer.element(0x1c, bytes(0, 1, 0xf6, 0, 0, 0x11, 0, 0))).tryText()).toBe('😀\ufffd');
    expect(parseDer(writer.element(0x14, bytes(0x53, 0xe0))).tryText()).toBe('Sà');
    expect(parseDer(writer.integer(1)).tryText()).toBeUndefined();
    expect(fromUtf16Be(bytes(0, 65, 0))).toBe('A');
  });
});

describe('when BER is used', () => {
  it('finds the end of indefinite lengths', () => {
    const outer = parseDer(bytes(0x30, 0x80, 0x30, 0x80, 0x02, 0x01, 0x07, 0, 0, 0x05, 0, 0, 0, 0xff));
    expect(outer.end).toBe(13);
    expect(outer.children().map(({ tag }) => tag)).toEqual([0x30, 0x05]);
    expect(outer.child(0, 'a structure').child(0, 'a number').toSmallInteger()).toBe(7);
  });

  it('puts strings in pieces together', () => {
    const pieces = writer.element(
      0x24,
      writer.octetString(bytes(1)),
      writer.element(0x24, writer.octetString(bytes(2, 3))),
    );
    expect([...parseDer(pieces).octets()]).toEqual([1, 2, 3]);
  });
});

describe('when the bytes are malformed', () => {
  it.each([
    ['nothing', bytes()],
    ['a tag alone', bytes(0x30)],
    ['a cut length', bytes(0x30, 0x82, 0x01)],
    ['more content than there is', bytes(0x30, 0x05, 0x00)],
    ['a length of five bytes', bytes(0x30, 0x85, 0, 0, 0, 0, 1, 0)],
    ['a tag of several bytes', bytes(0x3f, 0x81, 0x01, 0x00)],
    ['a simple value without length', bytes(0x04, 0x80, 0, 0)],
    ['no end mark', bytes(0x30, 0x80, 0x05, 0x00)],
  ])('refuses %s', (_, input) => {
    expect(() => parseDer(input)).toThrow(TelltaleError);
  });

  it('refuses children that reach past their parent', () => {
    expect(() => parseDer(bytes(0x30, 0x03, 0x04, 0x05, 0x00)).children()).toThrow(TelltaleError);
  });

  it('refuses indefinite lengths that are nested too deep', () => {
    const deep = Uint8Array.from({ length: 4 * (indefiniteDepthMax + 2) }, (_, at) =>
      at % 2 === 0 ? 0x30 : 0x80,
    );
    expect(() => parseDer(deep)).toThrow('nested too deep');
  });

  it('stops after so many elements', () => {
    const many = writer.element(
      0x30,
      new Uint8Array(2 * (elementsMax + 1)).map((_, at) => (at % 2 === 0 ? 5 : 0)),
    );
    expect(() => parseDer(many).children()).toThrow(`more than ${elementsMax} elements`);
  });

  it.each([
    [0x17, '091316104119Z'],
    [0x17, '090231000000Z'],
    [0x17, '090416246119Z'],
    [0x17, '0904161041'],
    [0x18, '2009'],
    [0x04, '090416104119Z'],
  ])('refuses the time %i %s', (tag, text) => {
    expect(() => time(tag, text)).toThrow(TelltaleError);
  });

  it('refuses object identifiers and numbers out of range', () => {
    expect(() => parseDer(writer.element(0x06, bytes(0x2a, 0x86))).toOid()).toThrow('cut');
    expect(() =>
      parseDer(writer.element(0x06, bytes(0x2a, ...Array.from({ length: 12 }, () => 0xff), 1))).toOid(),
    ).toThrow('too large');
    expect(() => parseDer(writer.element(0x02, bytes(0xff))).toSmallInteger()).toThrow('out of range');
    expect(() => parseDer(writer.element(0x03, bytes(3, 8))).toBits()).toThrow('inside a byte');
    expect(parseDer(writer.integer(1)).tryOid()).toBeUndefined();
  });

  it('walks 2,000 mutants without anything but our own errors', () => {
    const seed = writer.sequence(
      writer.oid('1.2.840.113549.1.7.2'),
      writer.context(
        0,
        writer.sequence(
          writer.integer(1),
          writer.set(writer.utf8String('a'), writer.octetString(new Uint8Array(40))),
        ),
      ),
      writer.generalizedTime(new Date(0)),
    );
    let walked = 0;
    for (const { bytes: mutant, description } of mutate(seed, 2000, 5)) {
      try {
        const stack = [parseDer(mutant)];
        for (let element = stack.pop(); element !== undefined; element = stack.pop()) {
          element.tryText();
          element.tryOid();
          if (element.isConstructed) stack.push(...element.children());
        }
      } catch (error) {
        expect(error, description).toBeInstanceOf(TelltaleError);
      }
      walked += 1;
    }
    expect(walked).toBe(2000);
  });
});
