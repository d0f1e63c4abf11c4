/** A mailbox of 200,000 messages: what a poll reads and writes, and how much memory a listed message takes. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { HEAD_BYTES } from '../../lib/mailbox/bounds.ts';
import { withRecords } from '../../lib/mailbox/records.ts';
import { StateFile } from '../../lib/mailbox/stateFile.ts';
import { folderStore } from '../../lib/store/folder.ts';
import { memoryStore } from '../../lib/store/memory.ts';
import type { ObjectStore } from '../../lib/store/port.ts';
import { World } from '../fetch/world.ts';
import { type Command, installCommand } from '../real/endsCommand.ts';
import { type FolderEnd, startFolder } from '../real/endsFar.ts';
import { generatedMail } from '../servers/scripted.ts';
import { end, spawnTied } from '../servers/tied.ts';
import { recordOf } from './records.ts';
import type { Serving } from './server.ts';

const MESSAGES = 200_000;
const OCTETS = 300;

/** A mailbox as most are, to hold the large one against. */
const FEWER = 1000;

/** Of one listed message; the design's promise. */
const ROW_BYTES = 150;

/** Peaks of one and the same poll differ by so much, with the garbage that is not collected yet. */
const NOISE_BYTES = 10_000_000;

const MEGABYTE = 1_000_000;

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** As a first import of them all would have left it. */
async function remember(store: ObjectStore, mailbox: string, count: number): Promise<void> {
  let nonces = 0;
  const nonce = () => {
    nonces += 1;
    return `${nonces}`.padStart(32, '0');
  };
  const state = await StateFile.open(store, mailbox, { now: Date.now, nonce });
  for (let at = 0; at < count; at += 5000) {
    const records = Array.from({ length: Math.min(5000, count - at) }, (_, nth) =>
      recordOf(at + nth, OCTETS),
    );
    await state.commit((head) => withRecords(head, records));
  }
}

describe(`a mailbox of ${MESSAGES} messages, all stored`, () => {
  it('is polled by one read of its head and no write', async () => {
    const messages = Array.from({ length: MESSAGES }, (_, nth) => generatedMail(`large-${nth}`, OCTETS));
    const inner = memoryStore('bucket');
    await remember(inner, 'inbox', MESSAGES);
    const calls: string[] = [];
    let bytes = 0;
    const store: ObjectStore = {
      ...inner,
      read: async (key) => {
        const object = await inner.read(key);
        calls.push(`read ${key}`);
        bytes += object?.size ?? 0;
        return object;
      },
      replace: (...call) => {
        calls.push('replace');
        return inner.replace(...call);
      },
      create: (...call) => {
        calls.push('create');
        return inner.create(...call);
      },
      remove: (...call) => {
        calls.push('remove');
        return inner.remove(...call);
      },
      list: (prefix) => {
        calls.push('list');
        return inner.list(prefix);
      },
    };
    const world = new World({ messages, store });
    const first = await world.run();
    expect(first.counts).toMatchObject({ listed: MESSAGES, alreadyStored: MESSAGES });
    calls.length = 0;
    bytes = 0;
    const idle = await world.run();
    expect(idle).toMatchObject({ outcome: 'done', counts: { listed: MESSAGES, alreadyStored: MESSAGES } });
    expect(calls).toEqual(['read state/inbox.json']);
    expect(bytes).toBeLessThanOrEqual(HEAD_BYTES);
    expect(world.retrieved).toBe(0);
    console.log(`idle poll over ${MESSAGES} messages: one read of ${bytes} bytes, no write`);
  });
});

describe('memory of the command', () => {
  let command: Command;
  let folder: string;

  beforeAll(async () => {
    command = await installCommand();
    folder = await mkdtemp(join(tmpdir(), 'peak-'));
  });
  afterAll(async () => {
    await command?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const serve = async (count: number): Promise<Serving> => {
    const argv = [here('./server.ts'), String(OCTETS), String(count)];
    const child = spawnTied([process.execPath, ...argv], 'KILL', { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => end(child, 'SIGKILL'));
    if (!child.stdout) throw new Error('no output');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return JSON.parse(line) as Serving;
  };

  /**
   * Peaks of resident memory of two polls: one that reads all records, since the settings have changed, and one that
   * finds nothing changed. The least of some each: what is not collected yet when it might be is no need.
   */
  const poll = async (far: FolderEnd, id: string, count: number): Promise<readonly [number, number]> => {
    const { port, ca, user, password } = await serve(count);
    await remember(folderStore(far.folder, Math), id, count);
    const peaks: number[] = [];
    for (const attempts of [1, 1, 2, 2, 3, 3]) {
      const peakFile = join(folder, `${id}-${peaks.length}`);
      const { report, words } = await command.fetch({
        mailbox: { id, port, user, attempts },
        ...{ password, ca, store: { folder: far.folder }, events: { file: far.eventsFile } },
        preload: here('./peak.ts'),
        env: { PEAK_FILE: peakFile },
      });
      expect(report, words).toMatchObject({
        outcome: 'done',
        counts: { listed: count, alreadyStored: count },
      });
      peaks.push(Number(await readFile(peakFile, 'utf8')));
    }
    const least = (parity: number) => Math.min(...peaks.filter((_, nth) => nth % 2 === parity));
    return [least(0), least(1)];
  };

  it(`grows by at most ${ROW_BYTES} bytes for each listed message`, async () => {
    const far = await startFolder();
    onTestFinished(() => far.stop());
    const few = await poll(far, 'few', FEWER);
    const many = await poll(far, 'many', MESSAGES);
    const [reading, idle] = [0, 1].map((at) => ((many[at] ?? 0) - (few[at] ?? 0)) / (MESSAGES - FEWER));
    const mb = (bytes: number | undefined) => `${Math.round((bytes ?? 0) / MEGABYTE)} MB`;
    console.log(
      `peak memory for ${FEWER} and ${MESSAGES} listed: ${mb(few[0])} and ${mb(many[0])} reading all records ` +
        `(${reading?.toFixed(0)} bytes a row), ${mb(few[1])} and ${mb(many[1])} idle (${idle?.toFixed(0)} bytes a row)`,
    );
    expect(reading).toBeLessThanOrEqual(ROW_BYTES + NOISE_BYTES / MESSAGES);
    expect(idle).toBeLessThanOrEqual(ROW_BYTES);
  });
});
