import { spawn } from 'node:child_process';
import { Secret } from './port.ts';
import type { Asking, Issued } from './tokenCache.ts';
import { HOLD_LATER_MS, later, person, TokenError, type TokenFailure } from './tokenErrors.ts';

/** How a program is run that prints an access token. */
export interface CommandHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths start at. */
  readonly cwd: string;
  /** Default 30 s: it may ask a server itself, and several mailboxes wait. */
  readonly timeLimitMs?: number;
}

const TIME_LIMIT_MS = 30_000;

/** As much as an answer of a token endpoint. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/** RFC 6750 section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Never by a shell. How long its tokens are good is not known. */
export function byCommand([program = '', ...given]: readonly string[], host: CommandHost): Asking {
  return { secrets: async () => [], ask: () => run(program, given, host) };
}

/** Neither its arguments nor what it says are shown: either may hold a secret. */
async function run(program: string, given: readonly string[], host: CommandHost): Promise<Issued> {
  const reference = `command ${program}`;
  const { timeLimitMs = TIME_LIMIT_MS } = host;
  const ended = await endOf(program, given, { ...host, timeLimitMs });
  const failure = failureOf(ended, timeLimitMs);
  if (failure !== null) throw new TokenError(reference, failure);
  const token = ended.output.trim();
  if (TOKEN.test(token)) return { token: new Secret(token), lifeMs: null };
  const found = token === '' ? 'printed nothing' : 'printed something else than one token';
  throw new TokenError(reference, byHand(`the program ${found}. Run it by hand.`));
}

interface Ended {
  /** Node's code where it could not be started; why it was stopped; else its exit code, null by a signal. */
  readonly how: string | number | null;
  readonly output: string;
}

const LATE = 'late';
const TALKATIVE = 'talkative';

function endOf(
  program: string,
  given: readonly string[],
  { env, cwd, timeLimitMs }: Required<CommandHost>,
): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  // Its own group, so that what it has started ends with it.
  const child = spawn(program, given, {
    env: { ...env },
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  const stop = (how: string) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has ended by itself.
    }
    child.stdout.destroy();
    resolve({ how, output: '' });
  };
  const limit = AbortSignal.timeout(timeLimitMs);
  const late = () => stop(LATE);
  limit.addEventListener('abort', late);
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece;
    if (output.length > MAX_OUTPUT_BYTES) stop(TALKATIVE);
  });
  child.on('error', (error: NodeJS.ErrnoException) => resolve({ how: error.code ?? error.name, output: '' }));
  child.on('close', (code) => resolve({ how: code, output }));
  return promise.finally(() => limit.removeEventListener('abort', late));
}

/** A program has no secret of ours that could change: it is run again soon. */
function byHand(words: string): TokenFailure {
  return person('E_TOKEN_COMMAND', words, HOLD_LATER_MS);
}

function failureOf({ how }: Ended, timeLimitMs: number): TokenFailure | null {
  if (how === 0) return null;
  if (how === TALKATIVE) {
    return byHand(`the program printed more than ${MAX_OUTPUT_BYTES} bytes. Run it by hand.`);
  }
  if (how === LATE) return later('E_TOKEN_COMMAND', `the program did not end within ${timeLimitMs / 1000} s`);
  if (how === null) return later('E_TOKEN_COMMAND', 'the program was ended by a signal');
  if (typeof how === 'number') return later('E_TOKEN_COMMAND', `the program ended with exit code ${how}`);
  return byHand(`the program cannot be started (${how}). Correct the path, or make it executable.`);
}
