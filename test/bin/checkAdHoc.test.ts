/** A mailbox that is in no file: checked by what the command line says of it, and never with a password there. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askHidden } from '../../bin/askHidden.ts';
import { EXIT } from '../../bin/exitCodes.ts';
import { main } from '../../bin/main.ts';
import { PLAINTEXT } from '../../lib/mailbox/settings.ts';
import { canary } from '../canaries.ts';
import type { ScriptedServer } from '../servers/scripted.ts';
import { mailferry, messages, server, workFolder } from './harness.ts';

async function set() {
  const pop3 = await server({ messages: messages(2) });
  const cwd = await workFolder();
  await writeFile(join(cwd, 'ca.pem'), pop3.ca);
  return { pop3, cwd };
}

const about = ({ port }: ScriptedServer) => [
  ...['check', '--host', 'localhost', '--port', String(port), '--user', 'ferry', '--ca', 'ca.pem'],
];
const heard = ({ log }: ScriptedServer) => log.sessions.flatMap(({ commands }) => commands);

describe('mailferry check --host', () => {
  it('walks to the listing with a password from where it says, and leaves nothing behind', async () => {
    const { pop3, cwd } = await set();
    const argv = [...about(pop3), '--password-from', 'env:POP_PASSWORD'];
    const said = await mailferry(argv, { cwd, env: { POP_PASSWORD: pop3.password } });
    expect(said).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(said.stdout).toMatch(
      /^check: ferry on localhost:\d+\n {2}✓ dns .*\n[^✗]* {2}✓ list +\d+ ms {2}2 messages, \d+ octets\n$/s,
    );
    expect(said.stdout).not.toMatch(/✓ (store|events)/);
    await writeFile(join(cwd, 'secret'), pop3.password);
    const file = await mailferry([...about(pop3), '--password-from', 'file:secret', '--json'], { cwd });
    expect(file.code).toBe(EXIT.done);
    expect(JSON.parse(file.stdout.split('\n')[0] ?? '')).toMatchObject({
      mailbox: 'check',
      step: 'dns',
      ok: true,
    });
    expect((await readdir(cwd)).sort()).toEqual(['ca.pem', 'secret']);
  });

  it('ends before the sign-in where nobody can be asked, and says so', async () => {
    const { pop3, cwd } = await set();
    const said = await mailferry(about(pop3), { cwd });
    expect(said.code).toBe(EXIT.person);
    expect(said.stdout).toMatch(
      /✓ capabilities .*\n {2}✗ secret .*ends before the sign-in.*--password-from.*\n {2}– sign-in +not reached\n {2}– list +not reached\n$/,
    );
    expect(heard(pop3)).toEqual(['CAPA']);
  });

  it('asks a person first, and shows nothing of the answer', async () => {
    const { pop3, cwd } = await set();
    const texts: string[] = [];
    const output = () =>
      Object.assign(new PassThrough(), { isTTY: false }).on(
        'data',
        (piece) => void texts.push(String(piece)),
      );
    const code = await main(about(pop3), {
      ...{ stdout: output(), stderr: output(), env: {}, cwd, signal: new AbortController().signal },
      ask: async (prompt) => {
        texts.push(prompt);
        expect(pop3.log.connections).toBe(0);
        return pop3.password;
      },
    });
    expect(code).toBe(EXIT.done);
    expect(texts.join('')).toContain('Password of ferry on localhost: ');
    expect(texts.join('')).not.toContain(pop3.password);
    expect(heard(pop3).filter((line) => line.startsWith('PASS'))).toHaveLength(1);
  });

  it('writes a transcript as for any mailbox', async () => {
    const { pop3, cwd } = await set();
    const argv = [...about(pop3), '--password-from', 'env:P', '--transcript', 't.txt'];
    expect(await mailferry(argv, { cwd, env: { P: pop3.password } })).toMatchObject({ code: EXIT.done });
    expect(await readdir(cwd)).toContain('t.txt');
  });

  it('does without TLS where it is told so in full, and warns', async () => {
    const clear = await server({ tls: false });
    const cwd = await workFolder();
    const argv = ['check', '--host', 'localhost', '--port', String(clear.port), '--user', 'ferry'];
    const said = await mailferry([...argv, '--tls', PLAINTEXT, '--password-from', 'env:P'], {
      cwd,
      env: { P: clear.password },
    });
    expect(said.code).toBe(EXIT.done);
    expect(said.stdout).toContain('note: The line to the server is not encrypted');
  });

  it.each([
    [['check', '--host', 'x'], 'wants both --host and --user'],
    [['check', '--user', 'x'], 'wants both --host and --user'],
    [['check', 'support', '--host', 'x', '--user', 'y'], 'name neither an ID nor --config'],
    [['check', '--config', 'c', '--host', 'x', '--user', 'y'], 'name neither an ID nor --config'],
    [['fetch', '--host', 'x', '--user', 'y'], '--host is for check alone'],
    [['check', '--host', 'x', '--user', 'y', '--password', 'z'], "Unknown option '--password'"],
    [
      ['check', '--host', 'x y', '--user', 'y', '--port', '99x', '--tls', 'maybe'],
      'the command line: 3 problems',
    ],
    [['check', '--host', 'x', '--user', 'y', '--password-from', 'hunter2'], 'must be a reference'],
  ])('refuses %j in words', async (argv, words) => {
    const said = await mailferry(argv, { cwd: await workFolder() });
    expect(said).toMatchObject({ code: EXIT.usage, stdout: '' });
    expect(said.stderr).toContain(words);
    expect(said.stderr).not.toContain('hunter2');
  });
});

describe('asking for a password', () => {
  function terminal(isTTY: boolean) {
    const modes: boolean[] = [];
    const input = Object.assign(new PassThrough(), {
      isTTY,
      setRawMode: (raw: boolean) => void modes.push(raw),
    });
    let shown = '';
    const output = Object.assign(new PassThrough(), { isTTY }).on('data', (piece) => {
      shown += String(piece);
    });
    let interrupted = 0;
    const answer = askHidden('Password: ', {
      ...{ input, output },
      interrupt: () => {
        interrupted += 1;
      },
    });
    return { input, answer, modes, shown: () => shown, interrupted: () => interrupted };
  }

  it('takes a line as it is, with the echo of the terminal off meanwhile', async () => {
    const secret = ` ${canary()} `;
    const { input, answer, modes, shown } = terminal(true);
    input.write(`${secret}x\x7f\r`);
    expect(await answer).toBe(secret);
    expect(modes).toEqual([true, false]);
    expect(shown()).toBe('Password: \n');
  });

  it('has no answer where there is no terminal, and asks nothing', async () => {
    const { answer, shown } = terminal(false);
    expect(await answer).toBeNull();
    expect(shown()).toBe('');
  });

  it.each([
    ['Ctrl-C', '\x03', 1],
    ['Ctrl-D', '\x04', 0],
  ])('has none after %s', async (_name, key, times) => {
    const { input, answer, modes, interrupted } = terminal(true);
    input.write(key);
    expect(await answer).toBeNull();
    expect(interrupted()).toBe(times);
    expect(modes.at(-1)).toBe(false);
  });
});
