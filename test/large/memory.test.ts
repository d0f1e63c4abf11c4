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
import { type FarEnd, startBucket, startFolder } from '../real/endsFar.ts';
import { storedEvents } from '../real/endsLedger.ts';
import { needing } from '../real/endsParts.ts';
import { end, spawnTied } from '../servers/tied.ts';
import type { Serving } from './server.ts';

const MEGABYTE = 1_000_000;

/**
 * Three ways to carry mail. The process lets buffers that it is done with pile up to some 60 MB before it collects
 * them, which one message of 10 MB is too small to show: so the large one is held against many small ones.
 */
const ONE_SMALL = { octets: 10 * MEGABYTE, count: 1 };
const MANY_SMALL = { octets: 10 * MEGABYTE, count: 20 };
const ONE_LARGE = { octets: 1000 * MEGABYTE, count: 1 };

type Mail = typeof ONE_LARGE;

/** Between two runs over the same mail there are as many as 20 MB. */
const ROOM_BYTES = 32 * MEGABYTE;

/** And over all of it, the one small message included. */
const SPREAD_BYTES = 96 * MEGABYTE;

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

  const serve = async ({ octets, count }: Mail): Promise<Serving> => {
    const child = spawnTied([process.execPath, here('./server.ts'), String(octets), String(count)], 'KILL', {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => end(child, 'SIGKILL'));
    if (!child.stdout) throw new Error('no output');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return JSON.parse(line) as Serving;
  };

  /** Peak of resident memory, bytes; all that was sent is stored and announced, by its checksum. */
  const fetch = async (mail: Mail, far: FarEnd, place: Place): Promise<number> => {
    fetches += 1;
    const id = `large-${fetches}`;
    const { port, ca, user, password, checksums } = await serve(mail);
    const peakFile = join(folder, id);
    const { report, words } = await command.fetch({
      mailbox: { id, port, user },
      ...{ password, ca, ...place, preload: here('./peak.ts'), timeLimitSeconds: TIME_LIMIT_SECONDS },
      env: { ...place.env, PEAK_FILE: peakFile },
    });
    expect(report, words).toMatchObject({ outcome: 'done', bytesStored: mail.octets * mail.count });
    expect([...(await far.checksums(id))].sort()).toEqual([...checksums].sort());
    const announced = storedEvents(await far.events(id)).map(({ sha256 }) => sha256);
    expect(announced.sort()).toEqual([...checksums].sort());
    return Number(await readFile(peakFile, 'utf8'));
  };

  const compare = async (where: string, far: FarEnd, place: Place) => {
    const one = await fetch(ONE_SMALL, far, place);
    const many = await fetch(MANY_SMALL, far, place);
    const large = await fetch(ONE_LARGE, far, place);
    const [first, second, third] = [one, many, large].map((peak) => `${Math.round(peak / MEGABYTE)} MB`);
    console.log(`${where}: peak ${first} for 10 MB, ${second} for 20 times 10 MB, ${third} for 1 GB`);
    expect(one).toBeGreaterThan(10 * MEGABYTE);
    expect(large).toBeLessThanOrEqual(many + ROOM_BYTES);
    expect(large).toBeLessThanOrEqual(one + SPREAD_BYTES);
  };

  it('is the same for 1 GB as for 10 MB, into a folder', async () => {
    const far = await startFolder();
    onTestFinished(() => far.stop());
    await compare('folder', far, { store: { folder: far.folder }, events: { file: far.eventsFile } });
  });

  const { missing, title } = needing('is the same for 1 GB as for 10 MB, into a bucket', 'versitygw');
  it.skipIf(missing)(title, async () => {
    const far = await startBucket();
    onTestFinished(() => far.stop());
    const { endpoint, region } = far.gateway;
    await compare('bucket', far, {
      store: { bucket: far.bucket, endpoint, region, pathStyle: true },
      events: { bus: 'mail', endpoint: far.bus.endpoint, region },
      env: far.env,
    });
  });
});
