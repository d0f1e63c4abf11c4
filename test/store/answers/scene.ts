/** The real adapter and the settling over one scripted bucket, and the other hands that write to it meanwhile. */
import { randomBytes } from 'node:crypto';
import { messageKey } from '../../../lib/mailbox/names.ts';
import { StateError } from '../../../lib/mailbox/stateError.ts';
import { digestOf } from '../../../lib/store/checksum.ts';
import { type ObjectStore, PART_BYTES, StoreError } from '../../../lib/store/port.ts';
import { s3Store } from '../../../lib/store/s3.ts';
import type { S3Limits } from '../../../lib/store/s3Calls.ts';
import { completeSettled, createSettled } from '../../../lib/store/settle.ts';
import { noise, uploaded } from '../writing.ts';
import { BUCKET, Bucket, type Habits } from './bucket.ts';
import type { Deed, Script } from './script.ts';
import { type AnswerServer, startAnswers } from './server.ts';
import {
  headIn,
  missingRecords,
  openState,
  STATE_KEY,
  type StateBefore,
  update,
  writeBefore,
} from './states.ts';

export type Write = 'create' | 'replace' | 'Complete';

export const MAIL_KEY = messageKey('inbox', 'uidl');

/** Equal in size, so that only content tells ours from another's; that of a Complete needs two parts. */
const messages = (bytes: number) => ({
  mine: Buffer.from(noise(bytes, 'mine')),
  another: Buffer.from(noise(bytes, 'another’s')),
});
const MESSAGES = { create: messages(3_000), Complete: messages(PART_BYTES + 5) };

/** Where an answer is awaited that never comes; everywhere else a busy machine has all the time it needs. */
const SHORT_MS = 800;
const LONG_MS = 60_000;

export interface Scene {
  readonly bucket: Bucket;
  readonly server: AnswerServer;
  /** What the adapter reported of each write, in order. */
  readonly reports: string[];
  /** One attempt of a run: to the message's object, or to the state that says `what`. */
  attempt(what: 'mine' | 'next'): Promise<string>;
  /** What is in the bucket, in the words of the table. */
  content(): string;
  /** What the state should have on record and has not. */
  missing(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startScene(
  write: Write,
  { script, habits = {}, before = 'usual' }: { script: Script; habits?: Habits; before?: StateBefore },
): Promise<Scene> {
  const bucket = new Bucket(habits);
  const others = await startAnswers(bucket);
  const otherStore = storeAt(others.endpoint);
  const server = await startAnswers(bucket, (deed) => act(deed, { bucket, write, otherStore }));
  const reports: string[] = [];
  const store = reporting(storeAt(server.endpoint, limitsFor(script)), reports);
  const attempt = write === 'replace' ? await committing(store, otherStore, before) : storing(store, write);
  bucket.applied.length = 0;
  server.follow(script, 'this run');
  return {
    bucket,
    server,
    reports,
    attempt: (what) => outcomeOf(attempt(what)),
    content: () => (write === 'replace' ? stateIn(bucket) : mailIn(bucket, write)),
    missing: async () => (write === 'replace' ? missingRecords(otherStore, before) : []),
    async stop() {
      await server.stop();
      await others.stop();
    },
  };
}

/** A new store at `endpoint`, with credentials of its own. */
export function storeAt(endpoint: string, limits: Partial<S3Limits> = {}): ObjectStore {
  return s3Store({
    bucket: BUCKET,
    region: 'eu-central-1',
    endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKFORTEST', secretAccessKey: randomBytes(16).toString('hex') },
    limits: { requestMs: LONG_MS, silenceMs: LONG_MS, ...limits },
    sleep: async () => {},
    random: Math.random,
  });
}

function limitsFor(script: Script): Partial<S3Limits> {
  const steps = [script.writes, script.looks, script.parts, script.aborts].flatMap((kind) => kind ?? []);
  return steps.some(({ says }) => says === 'silence') ? { requestMs: SHORT_MS } : {};
}

function storing(store: ObjectStore, write: 'create' | 'Complete'): () => Promise<string> {
  return async () => {
    const body = MESSAGES[write].mine;
    if (write === 'create') return createSettled(store, MAIL_KEY, body, digestOf(body));
    const { upload, digest } = await uploaded(store, MAIL_KEY, body);
    return completeSettled(upload, store, MAIL_KEY, digest);
  };
}

/** A run whose state file is open. */
async function committing(
  store: ObjectStore,
  otherStore: ObjectStore,
  before: StateBefore,
): Promise<(what: string) => Promise<string>> {
  await writeBefore(otherStore, before);
  const state = await openState(store);
  return async (what) => {
    await update(state, what);
    return 'committed';
  };
}

async function act(
  deed: Deed,
  { bucket, write, otherStore }: { bucket: Bucket; write: Write; otherStore: ObjectStore },
): Promise<void> {
  if (deed === 'the upload is removed') bucket.uploads.clear();
  else if (deed === 'it is removed') bucket.objects.delete(write === 'replace' ? STATE_KEY : MAIL_KEY);
  else if (write === 'replace') {
    await update(await openState(otherStore), deed === 'another run writes the same' ? 'mine' : 'other');
  } else if (deed === 'another run writes the same') await storing(otherStore, write)();
  else {
    const half = deed === 'half of it is kept';
    const { mine, another } = MESSAGES[write];
    const body = half ? mine.subarray(0, mine.length / 2) : another;
    bucket.keep(MAIL_KEY, body, half ? 'the store' : 'another');
  }
}

/** The store with a note of what each write is answered by the adapter. */
function reporting(store: ObjectStore, reports: string[]): ObjectStore {
  const note = async <T extends string>(writing: Promise<T>, success?: string): Promise<T> => {
    const outcome = await outcomeOf(writing);
    reports.push(success !== undefined && outcome.startsWith('"') ? success : outcome);
    return writing;
  };
  return {
    place: store.place,
    read: (key) => store.read(key),
    verify: (key, digest) => store.verify(key, digest),
    list: (prefix) => store.list(prefix),
    remove: (key) => store.remove(key),
    create: (key, body, digest) => note(store.create(key, body, digest)),
    replace: (key, body, expected) => note(store.replace(key, body, expected), 'replaced'),
    async upload(key) {
      const upload = await store.upload(key);
      return {
        write: (chunk) => upload.write(chunk),
        complete: (digest) => note(upload.complete(digest)),
        abort: () => upload.abort(),
      };
    },
  };
}

/** A call's value, or kind and code of the error that says what became of it. */
async function outcomeOf(call: Promise<string>): Promise<string> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StoreError || error instanceof StateError) return `${error.kind} ${error.code}`;
    throw error;
  }
}

function mailIn(bucket: Bucket, write: 'create' | 'Complete'): string {
  const body = bucket.objects.get(MAIL_KEY)?.body;
  if (body === undefined) return 'nothing';
  const { mine, another } = MESSAGES[write];
  if (body.equals(mine)) return 'mine';
  return body.equals(another) ? 'another’s' : 'half of it';
}

function stateIn(bucket: Bucket): string {
  const body = bucket.objects.get(STATE_KEY)?.body;
  return body === undefined ? 'nothing' : headIn(body).updates.join('+');
}
