import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Envelope } from '../../lib/events/envelope.ts';
import { ndjsonFile, ndjsonStream } from '../../lib/events/ndjson.ts';
import { type BusEntry, startBusSink } from '../servers/busSink.ts';
import { busPublisher } from './busPublisher.ts';
import { type Fixture, publisherContract } from './publisherContract.ts';

publisherContract('an NDJSON file', {
  durable: true,
  async start(): Promise<Fixture> {
    const root = await mkdtemp(join(tmpdir(), 'mailferry-events-'));
    const folder = join(root, 'new', 'folder');
    const file = join(folder, 'events.ndjson');
    return {
      publisher: ndjsonFile(file),
      received: async () => (existsSync(file) ? parse(await readFile(file, 'utf8')) : []),
      async takeAway() {
        await rm(folder, { recursive: true, force: true });
        await rm(join(root, 'new'), { recursive: true, force: true });
        await writeFile(join(root, 'new'), 'not a folder');
      },
      stop: () => rm(root, { recursive: true }),
    };
  },
});

publisherContract('an NDJSON stream', {
  durable: false,
  async start(): Promise<Fixture> {
    const stream = new PassThrough({ highWaterMark: 1024 });
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    return {
      publisher: ndjsonStream(stream),
      received: async () => parse(text),
      async takeAway() {
        stream.destroy();
        await once(stream, 'close');
      },
      async stop() {
        stream.destroy();
      },
    };
  },
});

publisherContract('EventBridge', {
  durable: true,
  async start(): Promise<Fixture> {
    const sink = await startBusSink({ buses: ['mail'] });
    return {
      publisher: busPublisher(sink.endpoint).publisher,
      received: async () => sink.accepted.map(toEnvelope),
      async takeAway() {
        sink.faults.push(
          ...Array.from({ length: 99 }, () => ({ status: 400, type: 'AccessDeniedException' })),
        );
      },
      stop: () => sink.stop(),
    };
  },
});

function parse(text: string): readonly Envelope[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** As EventBridge hands an entry to its targets. */
function toEnvelope({ Source, DetailType, Time, Detail }: BusEntry): Envelope {
  return {
    source: Source as Envelope['source'],
    'detail-type': DetailType as Envelope['detail-type'],
    time: new Date(Time! * 1000).toISOString(),
    detail: JSON.parse(Detail!),
  };
}
