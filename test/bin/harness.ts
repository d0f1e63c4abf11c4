/** The command in this process, with everything that it is given and says under the test's eyes; and as a child. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { main } from '../../bin/main.ts';
import type { Output } from '../../bin/terminal.ts';
import type { RunReport } from '../../lib/fetch/report.ts';
import {
  mail,
  type ScriptedMessage,
  type ScriptedOptions,
  type ScriptedServer,
  startScripted,
} from '../servers/scripted.ts';

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Circumstances {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** stderr is a terminal of 80 columns. */
  readonly tty?: boolean;
  readonly signal?: AbortSignal;
  /** A person's answer; absent: nobody is there. */
  readonly confirm?: () => Promise<boolean>;
  /** What stdout was given so far, while the command goes on. */
  readonly onStdout?: (text: string) => void;
  /** Of a child: what its stdout is, in place of a pipe that is read. */
  readonly stdoutTo?: number;
}

/** A folder of its own for each test. */
export async function workFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'command-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function server(options: ScriptedOptions = {}): Promise<ScriptedServer> {
  const started = await startScripted(options);
  onTestFinished(() => started.close());
  return started;
}

export async function mailferry(argv: readonly string[], given: Circumstances): Promise<Said> {
  const stdout = captured(false, given.onStdout);
  const stderr = captured(given.tty ?? false);
  const code = await main(argv, {
    stdout: stdout.output,
    stderr: stderr.output,
    env: given.env ?? {},
    cwd: given.cwd,
    signal: given.signal ?? new AbortController().signal,
    ...(given.confirm === undefined ? {} : { confirm: given.confirm }),
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function captured(
  isTTY: boolean,
  onText: (text: string) => void = () => {},
): { readonly output: Output; readonly text: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    onText(text);
  });
  return { output: Object.assign(stream, { isTTY, columns: 80 }), text: () => text };
}

/** Letters with UIDLs m0, m1, … */
export function messages(count: number, prefix = 'm'): ScriptedMessage[] {
  return Array.from({ length: count }, (_, at) =>
    mail(
      `${prefix}${at}`,
      `Subject: ${at}\r\nMessage-ID: <${prefix}${at}@example.org>\r\n\r\n.${'x'.repeat(at)}\r\n`,
    ),
  );
}

/**
 * A command as a child, in the middle of the fifty-first of sixty messages, which the server stops sending there once.
 */
export async function stalled(argv: readonly string[]) {
  const held = messages(60);
  const pop3 = await server({
    messages: held,
    faults: [{ verb: 'RETR', uidl: 'm50', session: 1, cutAt: 20, ending: 'stall' }],
  });
  const cwd = await workFolder();
  await settingsFor(cwd, pop3);
  const env = { PASSWORD: pop3.password };
  const child = startMailferry(argv, { cwd, env });
  await expect
    .poll(() => pop3.log.sessions[0]?.retrieved.some(({ uidl }) => uidl === 'm50'), { timeout: 30_000 })
    .toBe(true);
  return { held, cwd, env, child };
}

/** Of --json. */
export function reportsIn(stdout: string): RunReport[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RunReport);
}

export interface MailboxText {
  readonly id?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly delete?: string;
  readonly ca?: string;
  readonly enabled?: boolean;
  readonly attempts?: number;
}

/** Writes mailferry.yaml (JSON is YAML) and ca.pem; `changes`: a mailbox each. */
export async function settingsFor(
  folder: string,
  { host, port, user, ca }: ScriptedServer,
  changes: readonly MailboxText[] = [{}],
  top: object = {},
): Promise<void> {
  await writeFile(join(folder, 'ca.pem'), ca);
  const mailboxes = changes.map((change) => ({
    id: 'support',
    host,
    port,
    user,
    password: 'env:PASSWORD',
    ca: 'file:ca.pem',
    ...change,
  }));
  const file = { store: { folder: 'store' }, mailboxes, ...top };
  await writeFile(join(folder, 'mailferry.yaml'), JSON.stringify(file, null, 2));
}

const entry = fileURLToPath(new URL('../../bin/mailferry.ts', import.meta.url));

export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Said>;
}

/** A process of its own, as a shell starts it. */
export function startMailferry(argv: readonly string[], given: Circumstances): Child {
  const child = spawn(process.execPath, [entry, ...argv], {
    cwd: given.cwd,
    env: { PATH: process.env['PATH'] ?? '', ...given.env },
    stdio: ['ignore', given.stdoutTo ?? 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece;
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece;
  });
  const ended = once(child, 'close').then(([code]) => ({
    code: (code as number | null) ?? -1,
    stdout,
    stderr,
  }));
  return { process: child, ended };
}
