/**
 * The parser in a process of its own for each message: what hostile mail does to it ends with it. It gets no
 * environment, reads no file but its own code, starts no process, and is killed by its handle once it takes more time
 * or memory than it may. Bytes in a Buffer are not in V8's heap, so the memory that the kernel counts is watched.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FrameError } from '../mail/frames.ts';
import { MAX_MAIL_BYTES, type UnparsableCode } from '../mail/parseLimits.ts';
import { Answer } from './answer.ts';
import { type ParseClock, type Parser, ParserError, type Parsing } from './ports.ts';

/** The process alone has 75 MB; mail of MAX_MAIL_BYTES in a thousand parts has not been seen to take 200. */
const MAX_RSS_BYTES = 256 * 1024 * 1024;

/** Of V8's heap; beyond it Node ends itself. */
const MAX_HEAP_MB = 128;

/** A process that takes 1 GB/s is seen before it has taken much more than it may. */
const WATCH_MS = 20;

/** In /proc/<pid>/statm memory is counted in pages; arm64 with larger ones is seen earlier than it should be only. */
const PAGE_BYTES = 4096;

/** A process whose parent died goes on alone: the kernel ends it once it has used so much more than its time. */
const CPU_SLACK_S = 10;

export interface ParserProgram {
  /** What Node runs. */
  readonly file: string;
  readonly args: readonly string[];
  /** Files and folders that the process may read: its own code. */
  readonly reads: readonly string[];
  /** What Node needs in order to start, and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: ParseClock;
}

export function parserProcess(program: ParserProgram): Parser {
  return { parse: (mail, timeMs) => new Attempt(program, timeMs).run(mail) };
}

/** One message in one process. */
class Attempt {
  readonly #child: ChildProcess & { readonly stdin: Writable; readonly stdout: Readable };
  readonly #clock: ParseClock;
  readonly #answer = new Answer(MAX_MAIL_BYTES);
  /** Why it was killed. */
  #killed: UnparsableCode | undefined;
  readonly #cancelTime: () => void;
  #cancelWatch = () => {};

  constructor(program: ParserProgram, timeMs: number) {
    this.#clock = program.clock;
    this.#child = start(program, timeMs);
    this.#cancelTime = this.#clock.after(timeMs, () => this.#kill('E_PARSE_TIME'));
    this.#watch();
  }

  async run(mail: readonly Uint8Array[]): Promise<Parsing> {
    const exited = once(this.#child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    try {
      // The answer is gathered while the mail goes in, or both would wait for each other.
      const [, , [code, signal]] = await Promise.all([this.#feed(mail), this.#gather(), exited]);
      return this.#judge(code, signal);
    } catch (error) {
      throw isSpawnError(error) ? new ParserError(`the parser cannot be started: ${error.message}`) : error;
    } finally {
      this.#cancelTime();
      this.#cancelWatch();
      this.#child.kill('SIGKILL');
    }
  }

  /** A process that has ended, or closed its input, takes no more; why is told by how it ends. */
  async #feed(mail: readonly Uint8Array[]): Promise<void> {
    await pipeline(Readable.from(mail, { objectMode: false }), this.#child.stdin).catch(() => {});
  }

  async #gather(): Promise<void> {
    try {
      for await (const chunk of this.#child.stdout) this.#answer.take(chunk as Buffer);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#kill('E_PARSE_OUTPUT');
    }
  }

  #judge(code: number | null, signal: NodeJS.Signals | null): Parsing {
    // Before it says so it has not looked at the mail.
    if (!this.#answer.isReady)
      throw new ParserError(`the parser ended before it began (${signal ?? `exit code ${code}`})`);
    if (this.#killed !== undefined) return { unparsable: this.#killed };
    try {
      const parsing = this.#answer.end();
      if (parsing !== undefined) return parsing;
    } catch (error) {
      if (error instanceof FrameError) return { unparsable: 'E_PARSE_OUTPUT' };
      throw error;
    }
    return { unparsable: codeOfEnd(code, signal) };
  }

  #watch(): void {
    this.#cancelWatch = this.#clock.after(WATCH_MS, () => {
      if (residentBytes(this.#child.pid) > MAX_RSS_BYTES) this.#kill('E_PARSE_MEMORY');
      else this.#watch();
    });
  }

  #kill(why: UnparsableCode): void {
    this.#killed ??= why;
    this.#child.kill('SIGKILL');
  }
}

function start({ file, args, reads, env }: ParserProgram, timeMs: number) {
  const cpuSeconds = Math.ceil(timeMs / 1000) + CPU_SLACK_S;
  const allowed = reads.map((path) => `--allow-fs-read=${path}`);
  const options = [`--max-old-space-size=${MAX_HEAP_MB}`, '--permission', ...allowed];
  // The shell only sets limits, then becomes Node: the handle is Node's.
  const script = `ulimit -c 0; ulimit -t ${cpuSeconds}; exec "$@"`;
  return spawn('/bin/sh', ['-c', script, 'sh', process.execPath, ...options, file, ...args], {
    env,
    // Without stderr: what a parser says when it dies may be the mail's.
    stdio: ['pipe', 'pipe', 'ignore'],
    // A terminal's Ctrl-C goes to a whole group; the mail would be blamed for that.
    detached: true,
  });
}

/** How a process ends by itself: V8 aborts without memory; the kernel ends what uses too much CPU. */
function codeOfEnd(code: number | null, signal: NodeJS.Signals | null): UnparsableCode {
  if (signal === 'SIGABRT' || signal === 'SIGTRAP' || code === 134) return 'E_PARSE_MEMORY';
  return signal === 'SIGXCPU' ? 'E_PARSE_TIME' : 'E_PARSE_CRASHED';
}

/** 0 where the kernel does not tell: there the heap's bound alone holds. */
function residentBytes(pid: number | undefined): number {
  try {
    const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return Number(pages) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

function isSpawnError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn');
}
