/**
 * A process that appends events to a file, four publishes at a time: `file prefix count`. It prints the name of
 * each event once it is accepted, and the error, as JSON, at the first that is not.
 */
import { writeSync } from 'node:fs';
import { ndjsonFile } from '../../lib/events/ndjson.ts';
import { headerSummary, messageStored } from './samples.ts';

const [file = '', prefix = '', count = '0'] = process.argv.slice(2);
const publisher = ndjsonFile(file);
const subject = 'A subject of a length that makes lines of more than one block. '.repeat(20);
const names = Array.from({ length: Number(count) }, (_, index) => `${prefix}${index}`).values();

const work = async () => {
  for (const name of names) {
    await publisher.publish([messageStored(name, headerSummary({ subject }))]);
    writeSync(1, `${name}\n`);
  }
};
try {
  await Promise.all([work(), work(), work(), work()]);
} catch (error) {
  writeSync(1, `${JSON.stringify({ ...(error as object), message: (error as Error).message })}\n`);
  process.exitCode = 1;
}
