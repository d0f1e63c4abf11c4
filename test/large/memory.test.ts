/** A message's size is no measure of the command's memory, wherever it goes. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { EventsSettings, StoreSettings } from '../../lib/mailbox/settings.ts';
import { type Command, installCommand } from '../real/endsCommand.ts';
import { startBucket, startFolder } from '../real/endsFar.ts';
import { needing } from '../real/endsParts.ts';
import { end, spawnTied } from '../servers/tied.ts';
import type { Serving } from './server.ts';

const MEGABYTE = 1_000_000;
const SMALL_BYTES = 10 * MEGABYTE;
const LARGE_BYTES = 1000 * MEGABYTE;

/** Garbage that waits for its collection differs from run to run. */
const ROOM_BYTES = 64 * MEGABYTE;

const TIME_LIMIT_SECONDS = 110;

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

interface Place {
  readonly store: StoreSettings;
  readonly events: EventsSettings;
  readonly env?: Readonly<Record<string, string>>;
}

describe('memory of the command', () => {
  let command: Command;
  let folder: string;
  let fetches = 0;

  beforeAll(async () => {
    command = await installCommand();
    folder = await mkdtemp(join(tmpdir(), 'peak-'));
  });
  afterAll(async () => {
    await command?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const serve = async (octets: number): Promise<Serving> => {
    const child = spawnTied([process.execPath, here('./server.ts'), String(octets)], 'KILL', {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => end(child, 'SIGKILL'));
    if (!child.stdout) throw new Error('no output');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return JSON.parse(line) as Serving;
  };

  /** Peak of resident memory, bytes, and what the event said. */
  const fetch = async (octets: number, place: Place) => {
    fetches += 1;
    const { port, ca, user, password, sha256 } = await serve(octets);
    const peakFile = join(folder, String(fetches));
    const { report, words } = await command.fetch({
      mailbox: { id: `large-${fetches}`, port, user },
      ...{ password, ca, ...place, preload: here('./peak.ts'), timeLimitSeconds: TIME_LIMIT_SECONDS },
      env: { ...place.env, PEAK_FILE: peakFile },
    });
    expect(report, words).toMatchObject({ outcome: 'done', counts: { stored: 1 }, bytesStored: octets });
    return { mailbox: `large-${fetches}`, sha256, peak: Number(await readFile(peakFile, 'utf8')) };
  };

  const compare = async (where: string, place: Place) => {
    const small = await fetch(SMALL_BYTES, place);
    const large = await fetch(LARGE_BYTES, place);
    const [smaller, larger] = [small, large].map(({ peak }) => Math.round(peak / MEGABYTE));
    console.log(`${where}: peak ${smaller} MB for a message of 10 MB, ${larger} MB for one of 1 GB`);
    expect(large.peak).toBeGreaterThan(10 * MEGABYTE);
    expect(large.peak).toBeLessThanOrEqual(small.peak + ROOM_BYTES);
    return large;
  };

  it('is the same for 1 GB as for 10 MB, into a folder', async () => {
    const far = await startFolder();
    onTestFinished(() => far.stop());
    const { mailbox, sha256 } = await compare('folder', {
      store: { folder: far.folder },
      events: { file: far.eventsFile },
    });
    expect(await far.checksums(mailbox)).toEqual([sha256]);
    expect(await far.events(mailbox)).toContainEqual(
      expect.objectContaining({ detail: expect.objectContaining({ sha256, size: LARGE_BYTES }) }),
    );
  });

  const { missing, title } = needing('is the same for 1 GB as for 10 MB, into a bucket', 'versitygw');
  it.skipIf(missing)(title, async () => {
    const far = await startBucket();
    onTestFinished(() => far.stop());
    const { endpoint, region } = far.gateway;
    const { mailbox, sha256 } = await compare('bucket', {
      store: { bucket: far.bucket, endpoint, region, pathStyle: true },
      events: { bus: 'mail', endpoint: far.bus.endpoint, region },
      env: far.env,
    });
    expect(await far.checksums(mailbox)).toEqual([sha256]);
    expect(await far.events(mailbox)).toContainEqual(
      expect.objectContaining({ detail: expect.objectContaining({ sha256, size: LARGE_BYTES }) }),
    );
  });
});
