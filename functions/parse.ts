/** Lambda: Message Stored from the queue to documents. Loaded once more, in a process of its own, to parse one message. */
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { ParseJobs } from './parseJobs.ts';
import { beParser, isParser } from './parser.ts';

/** This file, or the bundle that it became: that is CommonJS, and knows no import.meta. */
const file = typeof __filename === 'string' ? __filename : import.meta.filename;

if (isParser(process.argv)) void beParser(process);

let jobs: Promise<ParseJobs> | undefined;

/** Settings and clients are made once per cold start, and not at all where this only parses. */
async function wired(): Promise<ParseJobs> {
  const [{ readEnvironment }, { wireParsing }, { systemClock: clock }] = await Promise.all([
    import('./environment.ts'),
    import('./parseWiring.ts'),
    import('../lib/fetch/systemClock.ts'),
  ]);
  return { ports: wireParsing(readEnvironment(process.env), file), clock, log: writeLine };
}

/** Not console.log: Lambda puts words before what that says, and a line would be no JSON any more. */
function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The early timeout is off, as in fetch.ts: the batch has its own deadline. */
export const handler = middy<SQSEvent, SQSBatchResponse>({ timeoutEarlyInMillis: 0 }).handler(
  async (event: SQSEvent, context: Context) => {
    jobs ??= wired();
    const { parseJobs } = await import('./parseJobs.ts');
    return parseJobs(await jobs, event, context);
  },
);
