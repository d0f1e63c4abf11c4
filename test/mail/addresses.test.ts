import { describe, expect, it } from 'vitest';
import { type Address, MAX_ADDRESSES, parseAddresses } from '../../lib/mail/addressList.ts';
import { leastWorkMs } from '../workMs.ts';

function list(text: string): string[] {
  return parseAddresses(text, false).map(shown);
}

function shown({ name, address }: Address): string {
  return `${name ?? '-'} | ${address}`;
}

describe('address lists', () => {
  it.each([
    ['a@b.c', ['- | a@b.c']],
    ['<a@b.c>', ['- | a@b.c']],
    ['Ada <a@b.c>, Bo <d@e.f>', ['Ada | a@b.c', 'Bo | d@e.f']],
    ['"Doe, \\"J\\" <x@y>" <a@b.c>', ['Doe, "J" <x@y> | a@b.c']],
    ['a@b.c (Ada (the first))', ['Ada (the first) | a@b.c']],
    ['(c) a (c) @ (c) b.c (c)', ['c | a@b.c']],
    ['(c) <a . b (c) @ (c) b . c> (c)', ['c | a.b@b.c']],
    ['Dr. Ada L. <a@b.c>', ['Dr. Ada L. | a@b.c']],
    ['friends: a@b.c, Bo <d@e.f>;, g@h.i', ['- | a@b.c', 'Bo | d@e.f', '- | g@h.i']],
    ['undisclosed-recipients:;', []],
    ['Ada <@relay,@other:a@b.c>, d@e.f', ['Ada | a@b.c', '- | d@e.f']],
    ['Ada a@b.c', ['Ada | a@b.c']],
    ['J. R. Doe <a@b.c>', ['J. R. Doe | a@b.c']],
    ['"a b"@c.d', ['- | "a b"@c.d']],
    ['a@[192.0.2.1], b@[IPv6:2001:db8::1]', ['- | a@[192.0.2.1]', '- | b@[IPv6:2001:db8::1]']],
    ['a@b.c; d@e.f', ['- | a@b.c', '- | d@e.f']],
    ['Ada <a@b.c> Bo <d@e.f>', ['Ada | a@b.c', 'Bo | d@e.f']],
    ['Ada <a@b.c, Bo <d@e.f>', ['Ada | a@b.c', 'Bo | d@e.f']],
    ['Ada <a@b.c> Lovelace, <@r: a@b.c>, d@e.f', ['Ada Lovelace | a@b.c', '- | a@b.c', '- | d@e.f']],
    ['<<a@b.c>>', ['- | a@b.c']],
    ['Зоя <зоя@пример.рф>', ['Зоя | зоя@пример.рф']],
    [',, ,;a@b.c,', ['- | a@b.c']],
    ['"Ada <a@b.c>, d@e.f', ['Ada | a@b.c', '- | d@e.f']],
    ['"Ada" <a@b.c>, "Bo <d@e.f>, "Cy <g@h.i>', ['Ada | a@b.c', 'Bo <d@e.f>, Cy | g@h.i']],
  ])('%s', (text, expected) => {
    expect(list(text)).toEqual(expected);
  });

  it.each([
    'root',
    '<root>',
    '@b.c',
    'a@',
    'a@b@c',
    'boss@bank.com a@evil.example',
    'boss@bank.com <>',
    'boss@bank.com <not an address>',
    '<a@b.c d@e.f>',
    'boss\0@bank.com',
    `${'x'.repeat(1000)}@b.c`,
    'Dr. doe@b.c',
    'Dr . doe@b.c',
    'a@b . c',
    '"unclosed a@b.c',
    '(unclosed a@b.c',
  ])('leaves out what is not clearly one address: %j', (text) => {
    expect(list(text)).toEqual([]);
  });
});

describe('names are decoded after splitting (M-24)', () => {
  it.each([
    ['=?utf-8?Q?boss=40bank.com?= <a@evil.x>', ['boss@bank.com | a@evil.x']],
    ['"=?utf-8?Q?Gr=C3=BC?=" <a@b.c>', ['Grü | a@b.c']],
    ['=?utf-8?Q?Doe,_J?= <a@b.c>', ['Doe, J | a@b.c']],
    ['=?utf-8?Q?a?= =?utf-8?Q?b?= <a@b.c>', ['ab | a@b.c']],
    ['=?utf-8?B?PGJvc3NAYmFuay5jb20+LCA=?= <a@evil.x>', ['<boss@bank.com>, | a@evil.x']],
    ['=?utf-8?Q?<boss@bank.com>,?= <a@evil.x>', ['<boss@bank.com>, | a@evil.x']],
    ['a@b.c (=?utf-8?Q?Gr=C3=BC?=)', ['Grü | a@b.c']],
  ])('%s', (text, expected) => {
    expect(list(text)).toEqual(expected);
  });

  it.each(['=?utf-8?Q?boss=40bank.com?=', '<=?utf-8?Q?boss=40bank.com?=>', '=?utf-8?Q?boss?=@bank.com'])(
    'an encoded word is no part of an address: %s',
    (text) => {
      expect(list(text)).toEqual([]);
    },
  );

  it('a quoted string that ends with a dot does not become a local part', () => {
    expect(list('"boss." a@evil.x')).toEqual(['boss. | a@evil.x']);
  });
});

describe('limits', () => {
  it('keeps the first of many addresses', () => {
    const many = Array.from({ length: 2 * MAX_ADDRESSES }, (_, index) => `${index}@b.c`);
    expect(list(many.join(', '))).toEqual(many.slice(0, MAX_ADDRESSES).map((address) => `- | ${address}`));
  });

  it('takes no address out of a quote whose end may have been cut off', () => {
    expect(parseAddresses('a@b.c, "Ada <boss@bank.com>, Bo', true).map(shown)).toEqual(['- | a@b.c']);
  });

  it('costs twice the time for twice the octets, where no quote closes', () => {
    const hostile = (length: number) => `"${'<\\"'.repeat(length / 3)}`;
    const [half, whole] = [hostile(300_000), hostile(600_000)];
    expect(leastWorkMs(() => parseAddresses(whole, false))).toBeLessThan(
      3.5 * leastWorkMs(() => parseAddresses(half, false)) + 10,
    );
  });

  it('leaves out the last one of a text that was cut, unless it was ended', () => {
    expect(parseAddresses('a@b.c, d@e.f', true).map(shown)).toEqual(['- | a@b.c']);
    expect(parseAddresses('a@b.c, d@e.f,', true).map(shown)).toEqual(['- | a@b.c', '- | d@e.f']);
  });
});
