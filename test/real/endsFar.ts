/** Where mail and events arrive, read with plain means: the file system, and Amazon's own client. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Envelope } from '../../lib/events/envelope.ts';
import { type BusSink, startBusSink } from '../servers/busSink.ts';
import type { S3Server } from '../servers/s3Process.ts';
import { startVersitygw } from '../servers/versitygw.ts';
import { PARTS } from './endsParts.ts';

/** What of a mailbox's state the tests look at. */
export interface Head {
  readonly intents: readonly { readonly untilMs: number; readonly lookedMs?: number }[];
  readonly failures: readonly { readonly setAsideMs: number | null }[];
  readonly backOff: object | null;
  /** Not null: nothing is left to do. */
  readonly quiet: object | null;
}

export interface FarEnd {
  /** All that it keeps is below. */
  readonly folder: string;
  /** Whole objects of a mailbox, by key; those that are `known` are not read again. */
  objects(mailbox: string, known?: ReadonlyMap<string, Buffer>): Promise<ReadonlyMap<string, Buffer>>;
  /** SHA-256 of each object of a mailbox, whatever their size. */
  checksums(mailbox: string): Promise<readonly string[]>;
  /** In order of acceptance, of a mailbox. */
  events(mailbox: string): Promise<readonly Envelope[]>;
  /** The mailbox's state as JSON. */
  head(mailbox: string): Promise<Head>;
  /** Every name that anything has there, of all mailboxes. */
  names(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface FolderEnd extends FarEnd {
  readonly eventsFile: string;
}

export async function startFolder(): Promise<FolderEnd> {
  const folder = await mkdtemp(join(tmpdir(), 'far-'));
  const eventsFile = join(folder, 'events.ndjson');
  return {
    folder,
    eventsFile,
    async objects(mailbox, known) {
      const home = join(folder, 'mail', mailbox);
      const names = await readdir(home).catch(() => []);
      const files = names.map(async (name) => {
        const key = `mail/${mailbox}/${name}`;
        return [key, known?.get(key) ?? (await readFile(join(home, name)))] as const;
      });
      return new Map(await Promise.all(files));
    },
    async checksums(mailbox) {
      const home = join(folder, 'mail', mailbox);
      const names = await readdir(home);
      return Promise.all(names.map((name) => checksum(createReadStream(join(home, name)))));
    },
    async events(mailbox) {
      const lines = await readFile(eventsFile, 'utf8').catch(() => '');
      return lines
        .split('\n')
        .flatMap(parsed)
        .filter(({ detail }) => detail.mailbox === mailbox);
    },
    async head(mailbox) {
      const home = join(folder, 'state', `${mailbox}.json`);
      const revisions = (await readdir(home)).map((name) => Number(/^@(\d+)\.json$/.exec(name)?.[1] ?? 0));
      return JSON.parse(await readFile(join(home, `@${Math.max(...revisions)}.json`), 'utf8'));
    },
    async names() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

async function checksum(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** A line that a crash tore is no event: its event stands whole on a later line. */
function parsed(line: string): Envelope[] {
  try {
    return [JSON.parse(line) as Envelope];
  } catch {
    return [];
  }
}

export interface BucketEnd extends FarEnd {
  readonly bucket: string;
  readonly gateway: S3Server;
  readonly bus: BusSink;
  readonly env: Readonly<Record<string, string>>;
  put(key: string, value: unknown): Promise<void>;
}

const BUCKET = 'archive';

const versitygw = (folder: string) => startVersitygw(PARTS.versitygw, folder);

/** `start`: the S3 server, over a folder that it may fill. */
export async function startBucket(
  start: (folder: string) => Promise<S3Server> = versitygw,
): Promise<BucketEnd> {
  const folder = await mkdtemp(join(tmpdir(), 'far-'));
  const gateway = await start(folder);
  const bus = await startBusSink({ buses: ['mail'] });
  const { endpoint, region, accessKey, secretKey } = gateway;
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const client = new S3Client({ region, endpoint, forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const body = async (key: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    return Body as Readable;
  };
  const keysBelow = async (prefix: string) => {
    const keys: string[] = [];
    for await (const page of paginateListObjectsV2({ client }, { Bucket: BUCKET, Prefix: prefix }))
      keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
    return keys;
  };
  const keys = (mailbox: string) => keysBelow(`mail/${mailbox}/`);
  return {
    bucket: BUCKET,
    folder,
    gateway,
    bus,
    env: { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey, AWS_REGION: region },
    async put(key, value) {
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: JSON.stringify(value) }));
    },
    async objects(mailbox, known) {
      const objects = new Map<string, Buffer>();
      for (const key of await keys(mailbox))
        objects.set(key, known?.get(key) ?? (await buffer(await body(key))));
      return objects;
    },
    async checksums(mailbox) {
      return Promise.all((await keys(mailbox)).map(async (key) => checksum(await body(key))));
    },
    async events(mailbox) {
      return bus.accepted
        .map(({ Source, DetailType, Time, Detail }) => ({
          source: Source,
          'detail-type': DetailType,
          time: String(Time),
          detail: JSON.parse(Detail ?? ''),
        }))
        .filter(({ detail }) => detail.mailbox === mailbox) as readonly Envelope[];
    },
    names: () => keysBelow(''),
    head: async (mailbox) => JSON.parse(await text(await body(`state/${mailbox}.json`))),
    async stop() {
      client.destroy();
      await bus.stop();
      await gateway.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
