/** `mailferry parse` on a folder that was fetched into, with a parser process for each message. */
import fs, { readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { messageKey } from '../../lib/mailbox/names.ts';
import { mail } from '../servers/scripted.ts';
import { mailferry, server, settingsFor, workFolder } from './harness.ts';

const OLD = new Date('2026-01-02T03:04:05Z');

async function fetched() {
  const cwd = await workFolder();
  const pop3 = await server({
    messages: [
      mail('u1', 'Subject: one\r\n\r\nfirst\r\n'),
      mail('u2', 'Subject: two\r\n\r\nsecond\r\n'),
      mail('bomb', `X: ${'x'.repeat(300_000)}\r\n\r\n`),
    ],
  });
  await settingsFor(cwd, pop3);
  const env = { PASSWORD: pop3.password };
  await mailferry(['fetch'], { cwd, env });
  await pop3.close();
  const stem = (uidl: string) => messageKey('support', uidl).slice('mail/support/'.length, -'.eml'.length);
  const old = join(cwd, 'store', messageKey('support', 'u1'));
  await utimes(old, OLD, OLD);
  return {
    stem,
    parse: (...argv: string[]) => mailferry(['parse', ...argv], { cwd, env }),
    events: async () =>
      (await readFile(join(cwd, 'store', 'events.ndjson'), 'utf8'))
        .split('\n')
        .filter((line) => /"Message (?:Parsed|Unparsable)"/.test(line))
        .map((line) => JSON.parse(line)),
    documents: async () =>
      (await readdir(join(cwd, 'store', 'parsed'), { recursive: true }).catch(() => []))
        .filter((name) => name.endsWith('document.json'))
        .sort(),
    document: async (name: string) => JSON.parse(await readFile(join(cwd, 'store', 'parsed', name), 'utf8')),
  };
}

describe('mailferry parse', () => {
  it('makes documents of what is stored, of all or some, without a mail server', async () => {
    const { parse, events, documents, document, stem } = await fetched();
    const old = `support/2026/01/02/${stem('u1')}/document.json`;

    const one = await parse('--mailbox', 'support', '--id', stem('u1'), '--json');
    expect(one).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(await documents()).toEqual([old]);
    expect(await document(old)).toMatchObject({ text: 'first\n', headers: { subject: 'one' } });
    expect(JSON.parse(one.stdout)).toEqual((await events())[0].detail);

    const late = await parse('--since', '2026-01-03');
    expect(late.code).toBe(EXIT.messages);
    expect(late.stdout).toMatch(/^✗ support: mail\/support\/.*\(E_PARSE_HEADERS\)$/m);
    expect(late.stdout).toMatch(/^support: 1 message parsed, 1 cannot be parsed$/m);
    expect(await documents()).toHaveLength(2);
    expect(await events()).toHaveLength(3);

    const all = await parse('support');
    expect(all.stdout).toMatch(/^support: 2 messages parsed, 1 cannot be parsed$/m);
    expect(await documents()).toHaveLength(2);
    const ids = (await events()).map(({ detail }) => detail.id);
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(3);
  });

  it('goes on without a message that the store does not give, and says so', async () => {
    const { parse, stem } = await fetched();
    const read = fs.readFile;
    const spied = vi
      .spyOn(fs, 'readFile')
      .mockImplementation(((path: string, ...rest: []) =>
        String(path).endsWith(`${stem('u1')}.eml`)
          ? Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }))
          : read(path, ...rest)) as never);
    onTestFinished(() => spied.mockRestore());
    for (const options of [[], ['--since', '2026-01-01']]) {
      const said = await parse(...options);
      expect(said.code).toBe(EXIT.messages);
      expect(said.stdout).toMatch(/^✗ support: read mail\/support\/.*EIO.*\(E_STORE_IO\)$/m);
      expect(said.stdout).toMatch(/^support: 1 message parsed, 1 cannot be parsed, 1 could not be read$/m);
    }
  });

  it.each([
    [['parse', '--id', 'x'], '--id must be the first 32 digits'],
    [['parse', '--since', 'yesterday'], '--since must be a day or a time in UTC'],
    [['parse', '--since', '2026-02-31T00:00Z'], '--since must be a day or a time in UTC'],
    [['fetch', '--since', '2026-01-01'], '--since is an option of parse, announce, export only'],
  ])('refuses %j', async (argv, words) => {
    const said = await mailferry(argv, { cwd: await workFolder() });
    expect(said.code).toBe(EXIT.usage);
    expect(said.stderr).toContain(words);
  });
});
