import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { providerNotes, providerOf } from '../../lib/mailbox/providerOf.ts';
import { PROVIDERS } from '../../lib/mailbox/providers.ts';

describe('the provider behind a host', () => {
  it.each([
    ['pop.gmail.com', 'Gmail'],
    ['POP.GMAIL.COM.', 'Gmail'],
    ['outlook.office365.com', 'Exchange Online'],
    ['pop-mail.outlook.com', 'Outlook.com'],
    ['pop.gmx.net', 'GMX'],
    ['pop3.web.de', 'WEB.DE'],
    ['pop.mail.yahoo.com', 'Yahoo'],
    ['pop.aol.com', 'AOL'],
    ['pop.163.com', 'NetEase'],
    ['pop.126.com', 'NetEase'],
    ['pop.qq.com', 'QQ Mail'],
    ['imap.mail.me.com', 'iCloud Mail'],
    ['poppro.zoho.eu', 'Zoho Mail'],
    ['pop.fastmail.com', 'Fastmail'],
    ['pop.yandex.com', 'Yandex Mail'],
    ['pop.mail.ru', 'Mail.ru'],
    ['securepop.t-online.de', 'T-Online'],
  ])('%s is %s', (host, name) => {
    expect(providerOf(host)?.name).toBe(name);
  });

  it.each([
    'pop.exmail.qq.com',
    'notgmail.com',
    'pop.gmail.com.example.org',
    'gmail.com-login.example.org',
    'pop-gmail.com',
    'gmail.co',
    'xn--gmil-6na.com',
    'com',
    '127.0.0.1',
    '',
  ])('%j is none of them', (host) => {
    expect(providerOf(host)).toBeUndefined();
    expect(providerNotes(host)).toEqual([]);
  });

  it('is told by whole labels at the end, whatever stands around them', () => {
    const known = fc.constantFrom(...PROVIDERS.flatMap(({ hosts }) => hosts));
    const label = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}[a-z0-9]$/);
    fc.assert(
      fc.property(known, label, (host, other) => {
        expect(providerOf(`${other}.${host}`)).toBe(providerOf(host));
        expect(providerOf(`${host}.${other}.example`)).toBeUndefined();
        expect(providerOf(`${other}-${host}`)?.hosts ?? []).not.toContain(host);
      }),
    );
  });
});

describe('what is said of a provider', () => {
  it('has a next step, something to know and a page that says so; no host belongs to two', () => {
    const hosts = PROVIDERS.flatMap((provider) => provider.hosts);
    expect(new Set(hosts).size).toBe(hosts.length);
    for (const { name, signIn, notes, sources, hosts: own } of PROVIDERS) {
      for (const text of [signIn, ...notes]) expect(text, name).toMatch(/^[^\p{Cc}]{20,}\.$/u);
      expect(sources.length, name).toBeGreaterThan(0);
      for (const source of sources)
        expect(URL.canParse(source) && source.startsWith('https://'), source).toBe(true);
      for (const host of own) expect(host).toBe(host.toLowerCase());
    }
  });

  it('tells of Gmail’s 250, of what hides mail, and of what decides over it', () => {
    const told = providerNotes('pop.gmail.com').join('\n');
    for (const word of ['250', 'recent:', 'not again', 'POP setting']) expect(told).toContain(word);
  });
});
