/** The command as a process: its signals, its pipes, and its exit code. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { askHidden } from './askHidden.ts';
import { EXIT } from './exitCodes.ts';
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

  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);

  // The reader went away, as `head` does. The run goes on: mail matters more than its report.
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }

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
