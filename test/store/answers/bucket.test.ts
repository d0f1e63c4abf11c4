/** The bucket behind the answers is a store like any other: it keeps the contract, and the probe finds what it breaks. */
import { afterEach, expect, it } from 'vitest';
import { deletesAllowed, probe } from '../../../lib/store/abilities.ts';
import type { ObjectStore } from '../../../lib/store/port.ts';
import { objectStoreContract } from '../contract.ts';
import { Bucket, type Habits } from './bucket.ts';
import { storeAt } from './scene.ts';
import { type AnswerServer, startAnswers } from './server.ts';

let server: AnswerServer | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function storeOf(habits: Habits = {}): Promise<ObjectStore> {
  server = await startAnswers(new Bucket(habits));
  return storeAt(server.endpoint);
}

objectStoreContract('the S3 store on the bucket of the answers', () => storeOf());

const rows: [habits: Habits, lacks: string[]][] = [
  [{}, []],
  // The first state of a mailbox is written under the same condition as a message.
  [{ ignores: ['create'] }, ['create', 'replace']],
  [{ ignores: ['replace'] }, ['replace']],
  [{ ignores: ['Complete'] }, ['complete']],
  [{ ignores: ['create', 'replace', 'Complete'] }, ['create', 'replace', 'complete']],
  [{ comparesChecksums: false }, ['checksums']],
  [{ tellsChecksums: false }, []],
  [{ knowsETags: 'bare' }, []],
  [{ knowsETags: 'never' }, ['replace']],
];

it.each(rows)('the probe finds that a bucket with %o lacks %o', async (habits, lacks) => {
  const abilities = await probe(await storeOf(habits), { random: Math.random });
  expect(Object.keys(abilities.reasons)).toEqual(lacks);
  expect(deletesAllowed(abilities)).toBe(lacks.length === 0);
});
