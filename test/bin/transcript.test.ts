/** What --transcript writes, and that no mail is in it; canaries.test.ts looks for secrets. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/exitCodes.ts';
import { createAuthority } from '../servers/certificates.ts';
import { mail, type ScriptedOptions } from '../servers/scripted.ts';
import { mailferry, messages, server, settingsFor, workFolder } from './harness.ts';

const BODY = 'what nobody else is to read';

async function set(options: ScriptedOptions = {}, change: object = {}) {
  const pop3 = await server({
    messages: [mail('u1', `Message-ID: <1@x>\r\nSubject: ${BODY}\r\n\r\n${BODY}\r\n`)],
    ...options,
  });
  const cwd = await workFolder();
  await settingsFor(cwd, pop3, [change]);
  const path = join(cwd, 'said.txt');
  return { pop3, cwd, path, env: { PASSWORD: pop3.password } };
}

describe('--transcript', () => {
  it('of a fetch has what was said, in order and with its time, mail as octets, for its owner alone', async () => {
    const { cwd, path, env } = await set();
    const said = await mailferry(['fetch', '--transcript', 'said.txt'], { cwd, env });
    expect(said).toMatchObject({ code: EXIT.done, stderr: '' });
    const text = await readFile(path, 'utf8');
    const lines = text.split('\n');
    expect(lines[0]).toMatch(/^Transcript of support: localhost, port \d+, tls implicit\./);
    for (const line of lines.slice(3, -1)) expect(line).toMatch(/^ +\d+\.\d{3} {2,}\S/);
    const times = lines.slice(3, -1).map((line) => Number(line.slice(0, 9)));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const order = [
      'DNS: 127.0.0.1 (loopback)',
      'TCP: 127.0.0.1, port',
      'TLS: TLSv1.3',
      'S: +OK scripted',
      'C: CAPA',
    ];
    const then = ['C: USER ferry', 'C: PASS ***', 'C: UIDL', 'C: RETR 1', 'S: (', 'C: QUIT'];
    let from = 0;
    for (const part of [...order, ...then]) {
      from = text.indexOf(`  ${part}`, from);
      expect(from, part).toBeGreaterThan(0);
    }
    expect(text).not.toContain(BODY);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is of check, too, and has a certificate that was refused', async () => {
    const { cwd, path, env } = await set();
    await writeFile(join(cwd, 'ca.pem'), (await createAuthority('Another')).cert);
    expect(await mailferry(['check', '--transcript', path], { cwd, env })).toMatchObject({
      code: EXIT.person,
    });
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(/TLS: TLSv1\.3, \w+, not trusted\n.* CN=localhost for DNS:localhost.*\n$/);
  });

  it('overwrites nothing, and then nothing is connected to', async () => {
    const { cwd, path, env, pop3 } = await set();
    await writeFile(path, 'mine');
    for (const command of ['check', 'fetch']) {
      const said = await mailferry([command, '--transcript', 'said.txt'], { cwd, env });
      expect(said.code).toBe(EXIT.usage);
      expect(said.stderr).toMatch(/--transcript: said\.txt is there already, and is not overwritten/);
    }
    expect(await readFile(path, 'utf8')).toBe('mine');
    expect(pop3.log.connections).toBe(0);
  });

  it('is of one mailbox, and of check and fetch', async () => {
    const { cwd, env, pop3 } = await set();
    await settingsFor(cwd, pop3, [{}, { id: 'other' }]);
    const both = await mailferry(['fetch', '--transcript', 't'], { cwd, env });
    expect(both).toMatchObject({
      code: EXIT.usage,
      stderr: expect.stringContaining('one mailbox: name its ID'),
    });
    expect(await readdir(cwd)).not.toContain('t');
    expect(await mailferry(['fetch', 'other', '--transcript', 't'], { cwd, env })).toMatchObject({
      code: EXIT.done,
    });
    const plan = await mailferry(['plan', '--transcript', 't2'], { cwd, env });
    expect(plan).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining('check and fetch') });
  });

  it('cannot be written where there is no folder, and that is said before anything else', async () => {
    const { cwd, env, pop3 } = await set();
    const said = await mailferry(['check', '--transcript', 'no/such/folder'], { cwd, env });
    expect(said).toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining('ENOENT') });
    expect(pop3.log.connections).toBe(0);
  });
});

describe('a run without --transcript', () => {
  it('leaves none', async () => {
    const { cwd, env, pop3 } = await set({ messages: messages(3) });
    await mailferry(['fetch'], { cwd, env });
    expect((await readdir(cwd)).sort()).toEqual(['ca.pem', 'mailferry.yaml', 'store']);
    expect(pop3.log.connections).toBe(1);
  });
});
