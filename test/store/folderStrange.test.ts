/** Folders as they are found: on file systems that lack something, behind links, with other programs' files in them. */
import { copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../lib/store/checksum.ts';
import type { ObjectStore, Version } from '../../lib/store/port.ts';
import { emptyFolder, hook, openStore } from './emptyFolders.ts';
import { systemError } from './hookedFiles.ts';
import { contentOf } from './reading.ts';
import { bytes } from './writing.ts';

const mail = bytes('Subject: hello\r\n\r\nworld\r\n');
const key = 'mail/shop/0123.eml';
const state = 'state/shop.json';
const create = (store: ObjectStore) => store.create(key, mail, digestOf(mail));

describe('a folder that cannot be had', () => {
  it('is given up where the file system says that nothing is above it, though it is', async () => {
    await expect(create(openStore('/proc/mailferry'))).rejects.toMatchObject({ code: 'E_STORE_BUSY' });
  });

  it.each(['', 'mail'])('since a link leads nowhere is told as that: "%s"', async (link) => {
    const folder = join(await emptyFolder(), 'store');
    if (link !== '') await mkdir(folder);
    await symlink('/not/mounted', join(folder, link));
    await expect(create(openStore(folder))).rejects.toMatchObject({
      ...{ kind: 'person', code: 'E_STORE_PATH' },
      message: expect.stringContaining(`${join(folder, link)} is a link that leads nowhere. Mount`),
    });
  });

  it('since it is a file is no conflict of writers', async () => {
    const file = join(await emptyFolder(), 'store');
    await writeFile(file, 'x');
    const refused = { kind: 'person', code: 'E_STORE_PATH' };
    await expect(openStore(file).replace(state, bytes('{}'), null)).rejects.toMatchObject(refused);
    await expect(create(openStore(file))).rejects.toMatchObject(refused);
  });

  it('since what was mounted there is away is not made anew beneath it', async () => {
    const folder = join(await emptyFolder(), 'disk', 'store');
    const store = openStore(folder);
    expect(await create(store)).toBe('created');
    await rm(join(folder, '..'), { recursive: true });
    let isMounted = false;
    hook(async (call, perform) => {
      const found = await perform();
      return call.name === 'stat' && !isMounted ? Object.assign(found as object, { dev: 1 }) : found;
    });
    await create(store).catch(() => {});
    for (const write of [create, (to: ObjectStore) => to.replace(state, bytes('{}'), null)])
      await expect(write(store)).rejects.toMatchObject({ kind: 'person', code: 'E_STORE_OTHER_DISK' });
    expect(await readdir(join(folder, '..')).catch(() => [])).toEqual([]);
    isMounted = true;
    expect(await create(store)).toBe('created');
  });

  it('is had again where it is mounted as another disk than before', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    expect(await create(store)).toBe('created');
    let failed = false;
    hook(async (call, perform) => {
      if (call.name === 'open' && !failed) {
        failed = true;
        throw systemError('ESTALE', call);
      }
      const found = await perform();
      return call.name === 'stat' ? Object.assign(found as object, { dev: 1 }) : found;
    });
    await expect(create(store)).rejects.toMatchObject({ kind: 'later' });
    expect(await create(store)).toBe('exists');
  });

  it('since its path is too long is not told as something in the way', async () => {
    const folder = join(await emptyFolder(), 'x'.repeat(300));
    await expect(create(openStore(folder))).rejects.toMatchObject({
      ...{ kind: 'person', code: 'E_STORE_PATH', message: expect.stringContaining('use a shorter one') },
    });
  });

  it.each(['EINVAL', 'ENOTSUP', 'ENOSYS'])(
    'since nothing can be synced there (%s) is for a person',
    async (errno) => {
      const folder = await emptyFolder();
      hook(async (call, perform) => {
        if (call.name !== 'handle.sync' || call.path.includes('.tmp/')) return perform();
        throw Object.assign(systemError(errno, call), { syscall: 'fsync' });
      });
      await expect(create(openStore(folder))).rejects.toMatchObject({
        kind: 'person',
        code: 'E_STORE_NO_SYNC',
      });
    },
  );
});

it('mail that a program has made a link of, to save space, is listed and read; links elsewhere are passed over', async () => {
  const folder = await emptyFolder();
  const store = openStore(folder);
  await create(store);
  const copy = 'mail/shop/4567.eml';
  await symlink(join(folder, key), join(folder, copy));
  for (const [name, to] of [
    ['gone', '/not/mounted'],
    ['round', '..'],
    ['self', 'self'],
  ] as const)
    await symlink(to, join(folder, 'mail/shop', name));
  const listed: unknown[] = [];
  for await (const one of store.list('mail/')) listed.push(one);
  expect(listed).toEqual([key, copy].map((each) => ({ key: each, size: mail.length })));
  expect(await contentOf(store, copy)).toEqual(mail);
});

describe('a document', () => {
  async function written(times: number) {
    const folder = await emptyFolder();
    const store = openStore(folder);
    let version: Version | null = null;
    for (let n = 1; n <= times; n += 1) version = await store.replace(state, bytes(`{"n":${n}}`), version);
    return { store, of: (name: string) => join(folder, state, name) };
  }

  /** What it is, and that it can be replaced. */
  async function replaced(store: ObjectStore): Promise<string> {
    const content = String(await contentOf(store, state));
    const version = (await store.read(state))?.version ?? null;
    expect(await store.replace(state, bytes('{"next":true}'), version)).not.toBe('conflict');
    expect(String(await contentOf(store, state))).toBe('{"next":true}');
    return content;
  }

  it.each([
    '@9.json.bak',
    '@9.json~',
    '@9.sync-conflict-20260101-101010-ABCDEFG.json',
    '@9 (conflicted copy).json',
    '._@9.json',
    'Thumbs.db',
  ])('is not a copy that another program made of it: %s', async (copy) => {
    const { store, of } = await written(3);
    await copyFile(of('@2.json'), of(copy));
    expect(await replaced(store)).toBe('{"n":3}');
  });

  it('is the revision before, where a person took the newest away', async () => {
    const { store, of } = await written(3);
    await rename(of('@3.json'), of('@3.json.broken'));
    expect(await replaced(store)).toBe('{"n":2}');
  });

  it('that was copied from a bucket as a file is not told as one that others keep changing', async () => {
    const folder = await emptyFolder();
    await mkdir(join(folder, 'state'));
    await writeFile(join(folder, state), '{"n":1}');
    const store = openStore(folder);
    const version = (await store.read(state))?.version ?? null;
    await expect(store.replace(state, bytes('{"n":2}'), version)).rejects.toMatchObject({
      ...{ kind: 'person', code: 'E_STORE_PATH', message: expect.stringContaining('@1.json') },
    });
    await rename(join(folder, state), join(folder, 'file'));
    await mkdir(join(folder, state));
    await rename(join(folder, 'file'), join(folder, state, '@1.json'));
    expect(await replaced(store)).toBe('{"n":1}');
  });
});
