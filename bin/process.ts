/** The command as a process: its signals, its pipes, and its exit code. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { askHidden } from './askHidden.ts';
import { EXIT, type ExitCode, worst } from './exitCodes.ts';
import { main } from './main.ts';

/** npm and our own starter pass a terminal's Ctrl-C on, so that one press comes twice. */
const SAME_PRESS_MS = 500;

/** Resolves when the command has ended; `process.exitCode` tells how. */
export async function runAsProcess(): Promise<void> {
  const stopping = new AbortController();
  let stoppedMs = 0;

  const stop = () => {
    if (!stopping.signal.aborted) {
      stoppedMs = Date.now();
      stopping.abort();
      process.stderr.write('\nStopping: what is stored is being put on record. Once more ends it at once.\n');
    } else if (Date.now() - stoppedMs > SAME_PRESS_MS) {
      process.exit(EXIT.interrupted);
    }
  };

  // SIGHUP: the terminal is gone. Node takes back what `nohup` had it ignore, so this cannot be told from a wish to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

  watchOutputs();
  process.exitCode = await main(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal: stopping.signal,
    ask: (prompt) => askHidden(prompt, { input: process.stdin, output: process.stderr, interrupt: stop }),
    ...(process.stdin.isTTY && process.stderr.isTTY ? { confirm } : {}),
  });
}

/**
 * The run goes on whatever becomes of its outputs: mail matters more than its report. A reader that went away, as `head`
 * does, wants no more. Anything else that befalls stdout, such as a full disk, is said and tells in the exit code.
 */
function watchOutputs(): void {
  let lost = false;
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || lost) return;
    lost = true;
    process.stderr.write(
      `mailferry: stdout cannot be written: ${message}. What is said there is lost; all else goes on.\n`,
    );
  });
  // Nowhere is left to say it. A terminal that hung up gives EIO.
  process.stderr.on('error', () => {});
  // The last write may fail after all else is done.
  process.once('exit', (code) => {
    if (lost) process.exitCode = worst([code as ExitCode, EXIT.person]);
  });
}

/** Anything but a yes is a no, Ctrl-C and Ctrl-D among it. */
async function confirm(question: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const ended = once(asking, 'close').then(() => '');
    const answer = await Promise.race([asking.question(`${question} [y/N] `), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}
