/** docs/sign-in.md: its settings are ones, and its advice is what is given. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { REMEDIES } from '../../lib/fetch/remedies.ts';
import { PRESET_NAMES } from '../../lib/mailbox/presets.ts';
import { parseSettingsFile } from '../../lib/mailbox/settings.ts';
import { MECHANISMS } from '../../lib/mailbox/signInSettings.ts';

const GUIDE = readFileSync(new URL('../../docs/sign-in.md', import.meta.url), 'utf8');
const blocks = [...GUIDE.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = '']) => yaml);
const mailboxes = blocks.flatMap((yaml) => parseSettingsFile(parse(yaml), 'docs/sign-in.md').mailboxes);

describe('the guide to signing in', () => {
  it.each(blocks)('has complete settings: %#', (yaml) => {
    expect(parseSettingsFile(parse(yaml), 'docs/sign-in.md').mailboxes).not.toEqual([]);
  });

  it('has each preset and each way to sign in', () => {
    const presets = blocks.flatMap((yaml) => [...yaml.matchAll(/preset: (\S+)/g)].map(([, name]) => name));
    expect(new Set(presets)).toEqual(new Set(PRESET_NAMES));
    const kinds = new Set(
      mailboxes.flatMap(({ signIn: { token } }) =>
        token === undefined ? [] : ['grant' in token ? token.grant : Object.keys(token)[0]],
      ),
    );
    expect(kinds).toEqual(new Set(['refresh-token', 'client-credentials', 'service-account', 'command']));
    const families = (names: readonly string[]) => new Set(names.map((name) => name.split('-')[0]));
    expect(families(mailboxes.map(({ signIn }) => signIn.mechanism))).toEqual(families(MECHANISMS));
    for (const member of ['serverKeys', 'clientCertificate', 'ca'] as const)
      expect(
        mailboxes.some((mailbox) => mailbox[member] !== undefined),
        member,
      ).toBe(true);
  });

  it('explains all advice that there is, and no other', () => {
    const [, section = ''] = /<a id="wrong">(.*?)<a id=/s.exec(GUIDE) ?? [];
    const told = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, id]) => id),
    );
    const ids = REMEDIES.map(({ id }) => id.replace(/^AADSTS\d+$/, 'AADSTS…'));
    expect(new Set(told)).toEqual(new Set(['advice', ...ids]));
  });

  it('leads to what is there', () => {
    for (const [, id = ''] of GUIDE.matchAll(/\]\(#([^)]+)\)/g))
      expect(GUIDE).toContain(`<a id="${id}"></a>`);
    for (const [, path = ''] of GUIDE.matchAll(/\]\((decisions\/[^)#]+|[a-z]+\.md)\)/g))
      expect(() => readFileSync(new URL(`../../docs/${path}`, import.meta.url))).not.toThrow();
  });
});
