import { execFileSync } from 'node:child_process';
import { promises as fs } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ndjsonFile } from '../../lib/events/ndjson.ts';
import { manyStored, messageStored } from './samples.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'mailferry-events-'));
  file = join(folder, 'events.ndjson');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(folder, { recursive: true });
});

const accepted = { accepted: true };

/** As the reader that ndjson.ts asks for: what is no JSON is passed over. */
async function read(path = file) {
  const lines = (await fs.readFile(path, 'utf8')).split('\n');
  const unfinished = lines.pop();
  const names: string[] = [];
  const passedOver: string[] = [];
  for (const line of lines) {
    try {
      names.push(JSON.parse(line).detail.uidl);
    } catch {
      passedOver.push(line);
    }
  }
  return { names, passedOver, unfinished };
}

/** What all file handles have in common; faults are put in its place. */
async function handles(): Promise<fs.FileHandle> {
  const handle = await fs.open(folder, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle);
}

describe('what is in the file before', () => {
  it.each([
    ['whole lines', '{"detail":{"uidl":"old"}}\n', { names: ['old', 'a'], passedOver: [] }],
    ['a torn last line', '{"detail":{"ui', { names: ['a'], passedOver: ['{"detail":{"ui'] }],
    [
      'a whole last line without its newline',
      '{"detail":{"uidl":"old"}}',
      { names: ['old', 'a'], passedOver: [] },
    ],
    ['NUL bytes of a power cut', '\0\0\0', { names: ['a'], passedOver: ['\0\0\0'] }],
    ['an empty line', '\n', { names: ['a'], passedOver: [''] }],
  ])('%s: stays, and costs no event', async (_what, before, after) => {
    await fs.writeFile(file, before);
    expect(await ndjsonFile(file).publish([messageStored('a')])).toEqual([accepted]);
    expect(await read()).toEqual({ ...after, unfinished: '' });
  });
});

describe('a write that comes back short', () => {
  it('costs no event wherever it was cut, and joins nothing to another line', async () => {
    const prototype = await handles();
    const write = prototype.write as (buffer: Buffer) => Promise<{ bytesWritten: number }>;
    const [first, second] = [messageStored('a', null), messageStored('b', null)];
    await ndjsonFile(file).publish([first, second]);
    const whole = await fs.readFile(file);
    for (let cut = 0; cut < whole.length; cut += 1) {
      await fs.truncate(file);
      vi.spyOn(prototype, 'write').mockImplementationOnce(async function (this: unknown, ...args: unknown[]) {
        const result =
          cut === 0 ? { bytesWritten: 0 } : await write.call(this, (args[0] as Buffer).subarray(0, cut));
        // What another process writes at this very moment.
        await fs.appendFile(file, `\n${JSON.stringify({ detail: { uidl: 'other' } })}\n`);
        return result;
      } as never);
      expect(await ndjsonFile(file).publish([first, second])).toEqual([accepted, accepted]);
      const { names, passedOver, unfinished } = await read();
      expect([...new Set(names)].sort()).toEqual(['a', 'b', 'other']);
      expect(passedOver.filter((line) => !whole.includes(line))).toEqual([]);
      expect(unfinished).toBe('');
    }
  });

  it('again and again is an error, not a loop', async () => {
    const write = vi
      .spyOn(await handles(), 'write')
      .mockImplementation(async () => ({ bytesWritten: 0 }) as never);
    await expect(ndjsonFile(file).publish([messageStored('a')])).rejects.toMatchObject({
      code: 'E_EVENTS_FULL',
    });
    expect(write.mock.calls.length).toBeLessThan(20);
  });
});

describe('what the system refuses', () => {
  it.each([
    ['ENOSPC', 'person', 'E_EVENTS_FULL', 'make room'],
    ['EDQUOT', 'person', 'E_EVENTS_FULL', 'make room'],
    ['EACCES', 'person', 'E_EVENTS_DENIED', 'Let the user that runs Mailferry'],
    ['EROFS', 'person', 'E_EVENTS_READ_ONLY', 'mount it writable'],
    ['EIO', 'person', 'E_EVENTS_IO', 'Check it'],
    ['EMFILE', 'later', 'E_EVENTS_BUSY', 'The next run tries again'],
  ])('%s of a write is for a %s: %s', async (errno, kind, code, next) => {
    const refusal = Object.assign(new Error(`${errno}: refused`), { code: errno });
    vi.spyOn(await handles(), 'write').mockRejectedValueOnce(refusal);
    const publisher = ndjsonFile(file);
    const message = expect.stringContaining(next);
    await expect(publisher.publish([messageStored('a')])).rejects.toMatchObject({
      kind,
      code,
      message,
      cause: refusal,
    });
    // And once it is mended, the same publisher goes on.
    expect(await publisher.publish([messageStored('a')])).toEqual([accepted]);
  });

  it('a file system that cannot sync folders keeps no events, whenever it is asked', async () => {
    const refusal = Object.assign(new Error('EINVAL: invalid argument, fsync'), { code: 'EINVAL' });
    vi.spyOn(await handles(), 'sync').mockRejectedValueOnce(refusal);
    await expect(ndjsonFile(file).publish([messageStored('a')])).rejects.toMatchObject({
      ...{ kind: 'person', code: 'E_EVENTS_NO_SYNC' },
    });
  });

  it('a sync that fails accepts nothing, and the event is written anew the next time', async () => {
    const failure = Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
    vi.spyOn(await handles(), 'sync').mockRejectedValueOnce(failure);
    const publisher = ndjsonFile(file);
    await expect(publisher.publish([messageStored('a')])).rejects.toMatchObject({ code: 'E_EVENTS_IO' });
    await publisher.publish([messageStored('a')]);
    expect((await read()).names).toEqual(['a', 'a']);
  });

  it.each([
    ['a folder', () => fs.mkdir(file)],
    ['a pipe, which keeps nothing', () => execFileSync('mkfifo', [file])],
    ['a device, which keeps nothing', () => fs.symlink('/dev/null', file)],
  ])('%s in the place of the file is found out by prove', async (_what, put) => {
    await put();
    await expect(ndjsonFile(file).prove()).rejects.toMatchObject({ kind: 'person', code: 'E_EVENTS_PATH' });
  });
});

it.each(['events.ndjson', ''])('a link that leads nowhere is told as that: "%s"', async (name) => {
  const link = `${file}.link`;
  await fs.symlink('/not/mounted/here', link);
  const path = name === '' ? link : join(link, name);
  await expect(ndjsonFile(path).prove()).rejects.toMatchObject({
    ...{ kind: 'person', code: 'E_EVENTS_PATH' },
    message: expect.stringMatching(/\.link: this is a link that leads nowhere\. Mount/),
  });
});

it('a folder that the file system will not make, nor refuse as others do, is given up', async () => {
  await expect(ndjsonFile('/proc/mailferry/events.ndjson').prove()).rejects.toMatchObject({
    code: 'E_EVENTS_BUSY',
  });
});

describe('the file', () => {
  it('is made where it is missing, with its folders, for the user alone', async () => {
    const deep = join(folder, 'x', 'y', 'events.ndjson');
    await ndjsonFile(deep).prove();
    expect((await fs.stat(deep)).mode & 0o777).toBe(0o600);
    expect((await fs.stat(join(folder, 'x'))).mode & 0o777).toBe(0o700);
  });

  it('may be moved away between two publishes', async () => {
    const publisher = ndjsonFile(file);
    await publisher.publish([messageStored('a')]);
    await fs.rename(file, `${file}.1`);
    await publisher.publish([messageStored('b')]);
    expect((await read(`${file}.1`)).names).toEqual(['a']);
    expect((await read()).names).toEqual(['b']);
  });

  it('and its name are synced before an event counts as accepted', async () => {
    const publisher = ndjsonFile(file);
    const order: string[] = [];
    const prototype = await handles();
    const sync = prototype.sync;
    vi.spyOn(prototype, 'sync').mockImplementation(async function (this: fs.FileHandle) {
      order.push((await this.stat()).isDirectory() ? 'folder' : 'file');
      await sync.call(this);
    } as never);
    await publisher.publish([messageStored('a')]);
    order.push('accepted');
    expect(order).toEqual(['file', 'folder', 'accepted']);
  });

  it('is synced once for all that wait', async () => {
    const sync = vi.spyOn(await handles(), 'sync');
    const publisher = ndjsonFile(file);
    await publisher.prove();
    sync.mockClear();
    const events = manyStored(100);
    await Promise.all(events.map((event) => publisher.publish([event])));
    // The first finds nobody waiting; the other ninety-nine wait for it together. Each time the file and its folder.
    expect(sync).toHaveBeenCalledTimes(2 * 2);
    expect((await read()).names).toEqual(events.map(({ detail }) => detail.uidl));
  });

  it('that fails one group does not fail the next', async () => {
    const publisher = ndjsonFile(file);
    const refusal = Object.assign(new Error('ENOSPC: refused'), { code: 'ENOSPC' });
    vi.spyOn(await handles(), 'write').mockRejectedValueOnce(refusal);
    const results = await Promise.allSettled(manyStored(5).map((event) => publisher.publish([event])));
    expect(results.map(({ status }) => status)).toEqual(['rejected', ...Array(4).fill('fulfilled')]);
    expect((await read()).names).toEqual(['m1', 'm2', 'm3', 'm4']);
  });
});
