/** A process in the parser's place that does what a parser under hostile mail might: argv tells what. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FRAME, frame } from '../../lib/mail/frames.ts';

const DOCUMENT = {
  kind: 'mail',
  headers: {
    ...{ from: null, sender: null, replyTo: null, to: null, cc: null, bcc: null, subject: null, date: null },
    ...{
      dateRaw: null,
      dateZone: null,
      messageId: null,
      inReplyTo: null,
      references: null,
      returnPath: null,
    },
    ...{ autoSubmitted: null, precedence: null, list: null },
  },
  report: null,
  smime: null,
  tnef: false,
  text: 'from a process that is not the parser',
  warnings: [],
  parts: [],
};

function say(kind: (typeof FRAME)[keyof typeof FRAME], payload?: Uint8Array): void {
  process.stdout.write(frame(kind, payload));
}

function document(changes: object): void {
  say(FRAME.document, Buffer.from(JSON.stringify({ ...DOCUMENT, ...changes })));
}

/** What can be read, else the error's code. */
function readable(path: string): string {
  try {
    return readFileSync(path, 'latin1').slice(0, 10);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const WAYS: Readonly<Record<string, () => void | Promise<void>>> = {
  well: () => document({}),
  spin() {
    for (;;);
  },
  async buffers() {
    const kept: Buffer[] = [];
    for (;;) {
      kept.push(Buffer.alloc(16 * 1024 * 1024, 1));
      await sleep(1);
    }
  },
  heap() {
    const kept: string[][] = [];
    for (;;) kept.push(new Array<string>(1_000_000).fill('kept'));
  },
  exit: () => process.exit(7),
  abort() {
    process.kill(process.pid, 'SIGSEGV');
  },
  silent: () => process.exit(0),
  async deaf() {
    await sleep(60_000);
  },
  garbage: () => void process.stdout.write('<html>not a frame</html>'),
  huge() {
    const header = Buffer.alloc(5, 0xff);
    header[0] = FRAME.content;
    process.stdout.write(header);
  },
  async flood() {
    const piece = frame(FRAME.content, Buffer.alloc(1024 * 1024));
    for (;;) {
      process.stdout.write(piece);
      await sleep(0);
    }
  },
  crumbs() {
    const piece = Buffer.concat(Array.from({ length: 10_000 }, () => frame(FRAME.end)));
    process.stdout.write(piece);
    document({});
  },
  notJson: () => say(FRAME.document, Buffer.from('{')),
  otherShape: () => document({ key: 'mail/other/key.eml' }),
  loneSurrogate: () =>
    say(FRAME.document, Buffer.from(JSON.stringify({ ...DOCUMENT, text: 'x' }).replace('"x"', '"\\ud800"'))),
  contentOfNobody() {
    say(FRAME.content, Buffer.from('x'));
    say(FRAME.end);
    document({});
  },
  after() {
    document({});
    document({});
  },
  unknownReason: () => say(FRAME.unparsable, Buffer.from('E_PARSE_BECAUSE')),
  surroundings() {
    document({
      text: JSON.stringify({
        env: Object.keys(process.env),
        ofParent: readable(`/proc/${process.ppid}/environ`),
        passwd: readable('/etc/passwd'),
        oom: process.execArgv.filter((arg) => arg.startsWith('--max-old')),
      }),
    });
  },
};

const way = process.argv[2] ?? '';
if (way === 'early') process.exit(1);
say(FRAME.ready);
await WAYS[way]?.();
