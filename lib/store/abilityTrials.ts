/**
 * The probe's trials, one for each ability. Each gives undefined when it found nothing wrong, else what it saw,
 * in a sentence; what it writes begins with `key`.
 */
import { Digester, digestOf } from './checksum.ts';
import { type Digest, type ObjectStore, PART_BYTES, StoreError, type Upload, type Version } from './port.ts';

/** Enough writers at once that a store which checks first and writes later shows it. */
const RACERS = 16;
const ROUNDS = 3;
/** Each racing Complete uploads two parts first. */
const RACING_UPLOADS = 3;

export async function tryListing(store: ObjectStore, prefix: string): Promise<undefined> {
  for await (const _ of store.list(prefix)) break;
}

export async function tryCreate(store: ObjectStore, key: string): Promise<string | undefined> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const contents = bodies(`create ${round}`);
    const outcomes = await race(
      contents.map(
        ({ body, digest }) =>
          () =>
            store.create(`${key}-${round}`, body, digest),
      ),
    );
    const wrong = await judge(outcomes, 'created', (winner) =>
      matches(store, `${key}-${round}`, contents[winner]),
    );
    if (wrong) return `Racing creates: ${wrong}.`;
  }
  const other = content('create once more');
  if ((await store.create(`${key}-0`, other.body, other.digest)) === 'created') {
    return 'An object that was there was created again.';
  }
  return undefined;
}

export async function tryReplace(store: ObjectStore, key: string): Promise<string | undefined> {
  const alone = await tryAlone(store, `${key}-alone`);
  if (alone) return alone;
  let version: Version | null = null;
  const versions: Version[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const contents = bodies(`replace ${round}`);
    const expected: Version | null = version;
    const outcomes = await race(
      contents.map(({ body }) => async () => {
        const outcome = await store.replace(key, body, expected);
        return outcome === 'conflict' ? outcome : 'replaced';
      }),
    );
    const wrong = await judge(outcomes, 'replaced', (winner) => matches(store, key, contents[winner]));
    if (wrong) return `Racing replaces: ${wrong}.`;
    version = await versionOf(store, key);
    versions.push(version);
  }
  return tryStale(store, key, [null, ...versions.slice(0, -1)]);
}

/** Where not even this works, the state of no mailbox can be kept; that says more than who wins a race. */
async function tryAlone(store: ObjectStore, key: string): Promise<string | undefined> {
  const refused = 'A document that nobody else wrote could not be replaced, so that nothing can be fetched.';
  const [first] = await race([() => store.replace(key, content('replace alone').body, null)]);
  if (first === 'conflict') return refused;
  const version = await versionOf(store, key);
  const [second] = await race([() => store.replace(key, content('replace alone again').body, version)]);
  return second === 'conflict' ? refused : undefined;
}

async function tryStale(
  store: ObjectStore,
  key: string,
  stale: readonly (Version | null)[],
): Promise<string | undefined> {
  const before = await versionOf(store, key);
  for (const version of stale) {
    const { body } = content(`replace stale ${version}`);
    if (
      (await store.replace(key, body, version)) !== 'conflict' ||
      (await versionOf(store, key)) !== before
    ) {
      return 'A document was replaced by a writer that knew only an older version.';
    }
  }
  return undefined;
}

export async function tryComplete(store: ObjectStore, key: string): Promise<string | undefined> {
  const uploads: { upload: Upload; digest: Digest }[] = [];
  try {
    for (let number = 0; number <= RACING_UPLOADS; number += 1) {
      uploads.push(await uploadTwoParts(store, key, number));
    }
    const racing = uploads.slice(0, RACING_UPLOADS);
    const outcomes = await race(
      racing.map(
        ({ upload, digest }) =>
          () =>
            upload.complete(digest),
      ),
    );
    const wrong = await judge(outcomes, 'created', async (winner) => {
      const digest = racing[winner]?.digest;
      return digest !== undefined && (await store.verify(key, digest)) === 'same';
    });
    if (wrong) return `Racing completions of uploads: ${wrong}.`;
    const last = uploads.at(-1);
    if (last && (await last.upload.complete(last.digest)) === 'created') {
      return 'An upload was completed over an object that was there.';
    }
    return undefined;
  } finally {
    for (const { upload } of uploads) await upload.abort();
  }
}

export async function tryChecksums(store: ObjectStore, key: string): Promise<string | undefined> {
  const sent = content('checksum of one');
  const claimed = content('checksum of two');
  try {
    await store.create(key, sent.body, claimed.digest);
  } catch (error) {
    if (error instanceof StoreError && error.code !== 'E_STORE_DIGEST') throw error;
  }
  if ((await versionIn(store, key)) === null) return undefined;
  return 'Bytes were stored that are not those of the checksum sent with them.';
}

export async function tryAborts(store: ObjectStore, key: string): Promise<string | undefined> {
  const { upload } = await uploadTwoParts(store, key, 0);
  try {
    if (await visible(store, key)) return 'An upload could be seen before it was complete.';
  } finally {
    await upload.abort();
  }
  return (await visible(store, key)) ? 'An upload that was aborted could be seen.' : undefined;
}

/** What each racer was answered; undefined where it cannot know. */
function race<T>(racers: readonly (() => Promise<T>)[]): Promise<(T | undefined)[]> {
  return Promise.all(
    racers.map((racer) =>
      racer().catch((error: unknown) => {
        if (error instanceof StoreError && error.kind === 'unknown') return undefined;
        throw error;
      }),
    ),
  );
}

/** What is wrong with the outcomes of a race that one racer should win, and whose bytes should then be there. */
async function judge<T>(
  outcomes: readonly (T | undefined)[],
  won: T,
  isThere: (racer: number) => Promise<boolean>,
): Promise<string | undefined> {
  const winners = [...outcomes.keys()].filter((racer) => outcomes[racer] === won);
  if (winners.length > 1) return `${winners.length} of ${outcomes.length} were told that they had won`;
  // A winner whose answer was lost is a winner.
  const candidates =
    winners.length === 1 ? winners : [...outcomes.keys()].filter((racer) => outcomes[racer] === undefined);
  for (const racer of candidates) if (await isThere(racer)) return undefined;
  return winners.length === 1 ? "the winner's bytes are not there" : 'none won';
}

interface Content {
  readonly body: Uint8Array;
  readonly digest: Digest;
}

function content(text: string): Content {
  const body = Buffer.from(JSON.stringify({ probe: text }));
  return { body, digest: digestOf(body) };
}

function bodies(name: string): Content[] {
  return Array.from({ length: RACERS }, (_, racer) => content(`${name} by ${racer}`));
}

async function uploadTwoParts(
  store: ObjectStore,
  key: string,
  number: number,
): Promise<{ upload: Upload; digest: Digest }> {
  const upload = await store.upload(key);
  const digester = new Digester();
  const chunk = Buffer.alloc(PART_BYTES / 8, number);
  for (let written = 0; written < 9; written += 1) {
    const piece = written < 8 ? chunk : chunk.subarray(0, 1);
    digester.update(piece);
    await upload.write(piece);
  }
  return { upload, digest: digester.digest() };
}

async function matches(store: ObjectStore, key: string, expected: Content | undefined): Promise<boolean> {
  return expected !== undefined && (await store.verify(key, expected.digest)) === 'same';
}

async function visible(store: ObjectStore, key: string): Promise<boolean> {
  for await (const _ of store.list(key)) return true;
  return (await versionIn(store, key)) !== null;
}

async function versionOf(store: ObjectStore, key: string): Promise<Version> {
  const version = await versionIn(store, key);
  if (version !== null) return version;
  throw new StoreError(`probe ${key}: a document that was written is not there. The next run tries again.`, {
    kind: 'later',
    code: 'E_STORE_UNSETTLED',
    operation: 'probe',
    key,
  });
}

async function versionIn(store: ObjectStore, key: string): Promise<Version | null> {
  const found = await store.read(key);
  if (found === null) return null;
  for await (const _ of found.chunks);
  return found.version;
}
