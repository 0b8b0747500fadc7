import { describe, expect, it } from 'vitest';
import {
  isSamePublisher,
  toPublisherId,
  tryParsePublisher,
} from '../../../src/formats/appx/publisher-name.ts';

describe('when a publisher name becomes an id', () => {
  it.each([
    ['CN=Skype Software Sarl, O=Microsoft Corporation, L=Luxembourg, S=Luxembourg, C=LU', 'kzf8qxf38zg5c'],
    ['CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US', '8wekyb3d8bbwe'],
    ['CN=Microsoft Windows, O=Microsoft Corporation, L=Redmond, S=Washington, C=US', 'cw5n1h2txyewy'],
  ])('%s', (publisher, id) => {
    expect(toPublisherId(publisher)).toBe(id);
  });

  it('depends on every character', () => {
    expect(toPublisherId('CN=Fixture')).not.toBe(toPublisherId('CN=fixture'));
  });
});

describe('when names are compared', () => {
  it.each([
    ['CN=A, S=B, C=LU', 'CN=A,ST=B,C=LU'],
    ['CN="Skype, Inc.", O=X', 'CN=Skype\\, Inc., O=X'],
    ['CN="a ""quoted"" name"', 'CN=a \\"quoted\\" name'],
    ['E=a@b.example, OID.2.5.4.15=Private', 'emailAddress=a@b.example, businessCategory=Private'],
    ['CN=two  words', 'CN=two  words '],
  ])('takes %s for %s', (a, b) => {
    expect(isSamePublisher(a, b)).toBe(true);
  });

  it.each([
    ['CN=A, O=B', 'CN=A'],
    ['CN=A, O=B', 'O=B, CN=A'],
    ['CN=A', 'CN=a'],
    ['CN=A\\, O=B', 'CN=A, O=B'],
    ['nonsense', 'nonsense'],
    ['', ''],
  ])('tells %s from %s', (a, b) => {
    expect(isSamePublisher(a, b)).toBe(false);
  });

  it('refuses what is no name', () => {
    expect(tryParsePublisher('CN="open')).toBeUndefined();
    expect(tryParsePublisher('CN="a"b, O=c')).toBeUndefined();
    expect(tryParsePublisher(`CN=${'x'.repeat(10_000)}`)).toBeUndefined();
    expect(tryParsePublisher('CN=a,'.repeat(1000))).toBeUndefined();
  });
});
