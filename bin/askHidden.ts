import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Output } from './terminal.ts';

export interface Asking {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: Output;
  /** Called at Ctrl-C, which a terminal that does not echo gives as a key. */
  readonly interrupt: () => void;
}

/** One line from a terminal, which shows nothing of it; null where there is no terminal, or nothing was answered. */
export async function askHidden(
  prompt: string,
  { input, output, interrupt }: Asking,
): Promise<string | null> {
  if (input.isTTY !== true) return null;
  // Readline switches the terminal's own echo off, and does the echoing itself: into this.
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  output.write(prompt);
  try {
    return await new Promise<string | null>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(null));
      lines.once('SIGINT', () => {
        interrupt();
        resolve(null);
      });
    });
  } finally {
    lines.close();
    output.write('\n');
  }
}
