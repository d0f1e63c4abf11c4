import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deletesAllowed, probe } from '../../lib/store/abilities.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import type { Version } from '../../lib/store/port.ts';
import { createSettled } from '../../lib/store/settle.ts';
import { objectStoreContract } from './contract.ts';
import { emptyFolder, hook, openStore } from './emptyFolders.ts';
import { systemError } from './hookedFiles.ts';
import { contentOf, keysOf } from './reading.ts';
import { bytes, noise, uploaded } from './writing.ts';

async function leftovers(folder: string): Promise<string[]> {
  return readdir(join(folder, '.tmp')).catch(() => []);
}

const mail = bytes('Subject: hello\r\n\r\nworld\r\n');
const key = 'mail/shop/0123.eml';

objectStoreContract('the folder store', async () => openStore(await emptyFolder()));

describe('what lies in the folder', () => {
  it('is for a person to open: mail under its key, and the newest state of few', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    await store.create(key, mail, digestOf(mail));
    let version: Version | null = null;
    for (let n = 1; n <= 30; n += 1)
      version = await store.replace('state/shop.json', bytes(`{"n":${n}}`), version);
    expect(await readFile(join(folder, key))).toEqual(mail);
    const revisions = await readdir(join(folder, 'state/shop.json'));
    expect(revisions.sort()).toEqual([23, 24, 25, 26, 27, 28, 29, 30].map((n) => `@${n}.json`));
    expect(await readFile(join(folder, 'state/shop.json/@30.json'), 'utf8')).toBe('{"n":30}');
    expect(await leftovers(folder)).toEqual([]);
  });

  it('is private to its owner and group', async () => {
    const folder = join(await emptyFolder(), 'new');
    const store = openStore(folder);
    await store.create(key, mail, digestOf(mail));
    for (const path of [folder, join(folder, 'mail/shop'), join(folder, key)]) {
      expect((await stat(path)).mode & 0o007).toBe(0);
    }
  });

  it('keeps every ability of the probe, and nothing of the probe', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    const abilities = await probe(store, { random: Math.random });
    expect(abilities.reasons).toEqual({});
    expect(deletesAllowed(abilities)).toBe(true);
    expect(await keysOf(store, '')).toEqual([]);
    expect(await leftovers(folder)).toEqual([]);
  });

  it('may hold files of somebody else, which are no objects', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    await store.create(key, mail, digestOf(mail));
    await writeFile(join(folder, 'mail/shop/notes of mine.txt'), 'x');
    await writeFile(join(folder, 'mail/.DS_Store'), 'x');
    expect(await keysOf(store, '')).toEqual([key]);
  });
});

describe('durability', () => {
  it('syncs the bytes before the name, and the name before it answers', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    const calls: string[] = [];
    hook(async (call, perform) => {
      const result = await perform();
      const short =
        call.path === folder ? '/' : call.path.slice(folder.length + 1).replace(/^\.tmp\/.*/, 'temp');
      if (/sync|writeFile|link/.test(call.name)) calls.push(`${call.name} ${short}`);
      return result;
    });
    await store.create(key, mail, digestOf(mail));
    expect(calls.slice(calls.indexOf('handle.writeFile temp'))).toEqual([
      'handle.writeFile temp',
      'handle.sync temp',
      'handle.sync mail',
      'handle.sync /',
      'link temp',
      'handle.sync mail/shop',
      'unlink temp',
    ]);
    calls.length = 0;
    await store.replace('state/shop.json', mail, null);
    expect(calls).toEqual([
      'handle.writeFile temp',
      'handle.sync temp',
      'handle.sync state',
      'handle.sync /',
      'link temp',
      'handle.sync state/shop.json',
      'unlink temp',
    ]);
  });

  it('syncs the folder before it says "exists" or "same": whoever made the link may be dead', async () => {
    const folder = await emptyFolder();
    await openStore(folder).create(key, mail, digestOf(mail));
    const store = openStore(folder);
    const synced: string[] = [];
    hook(async (call, perform) => {
      if (call.name === 'handle.sync') synced.push(call.path.slice(folder.length + 1));
      return perform();
    });
    expect(await store.verify(key, digestOf(mail))).toBe('same');
    expect(synced).toEqual(['mail', '', 'mail/shop']);
    expect(await store.create(key, mail, digestOf(mail))).toBe('exists');
    expect(synced.at(-1)).toBe('mail/shop');
  });

  it('syncs a document, and the folders on its way, before it gives it to a reader', async () => {
    const folder = await emptyFolder();
    await openStore(folder).replace('state/shop.json', bytes('{}'), null);
    const store = openStore(folder);
    const synced: string[] = [];
    hook(async (call, perform) => {
      if (call.name === 'handle.sync') synced.push(call.path.slice(folder.length + 1));
      return perform();
    });
    expect(await contentOf(store, 'state/shop.json')).toEqual(bytes('{}'));
    expect(synced).toEqual(['state', '', 'state/shop.json']);
  });

  it('lets many creates share the sync of their folder, each one that began after its link', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    await store.create('mail/shop/first.eml', mail, digestOf(mail));
    const events: string[] = [];
    hook(async (call, perform) => {
      const isFolder = call.name === 'handle.sync' && call.path.endsWith('/shop');
      if (isFolder) events.push('sync begins');
      const result = await perform();
      if (isFolder) events.push('sync ends');
      if (call.name === 'link') events.push('linked');
      return result;
    });
    const creates = Array.from({ length: 40 }, async (_, n) => {
      await store.create(`mail/shop/${n}.eml`, mail, digestOf(mail));
      events.push('answered');
    });
    await Promise.all(creates);
    const begun = events.filter((event) => event === 'sync begins').length;
    expect(begun).toBeLessThan(40);
    let linked = 0;
    let covered = 0;
    let durable = 0;
    let answered = 0;
    for (const event of events) {
      if (event === 'linked') linked += 1;
      if (event === 'sync begins') covered = linked;
      if (event === 'sync ends') durable = covered;
      if (event === 'answered') answered += 1;
      expect(answered).toBeLessThanOrEqual(durable);
    }
    expect(answered).toBe(40);
  });
});

describe('errors', () => {
  const rows: [string, string, string, string][] = [
    ['ENOSPC', 'handle.writeFile', 'person', 'E_STORE_FULL'],
    ['EDQUOT', 'handle.sync', 'person', 'E_STORE_FULL'],
    ['EROFS', 'mkdir', 'person', 'E_STORE_READ_ONLY'],
    ['EACCES', 'open', 'person', 'E_STORE_DENIED'],
    ['EIO', 'handle.sync', 'person', 'E_STORE_IO'],
    ['EPERM', 'link', 'person', 'E_STORE_NO_LINK'],
    ['ENOTSUP', 'link', 'person', 'E_STORE_NO_LINK'],
    ['EXDEV', 'link', 'person', 'E_STORE_NO_LINK'],
    ['EMFILE', 'open', 'later', 'E_STORE_BUSY'],
    ['EFBIG', 'handle.writeFile', 'person', 'E_STORE_FULL'],
    ['ESTALE', 'open', 'later', 'E_STORE_AWAY'],
    ['ENOTCONN', 'mkdir', 'later', 'E_STORE_AWAY'],
  ];

  it.each(rows)('%s of %s is for %s: %s', async (errno, name, kind, code) => {
    const folder = await emptyFolder();
    hook(async (call, perform) => {
      if (call.name === name) throw systemError(errno, call);
      return perform();
    });
    const error = await openStore(folder)
      .create(key, mail, digestOf(mail))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind, code, operation: 'create', key, cause: { code: errno } });
  });

  it('is unknown after the link, and looking makes it durable and sure', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    let linked = false;
    let failed = false;
    hook(async (call, perform) => {
      if (linked && !failed && call.name === 'open') {
        failed = true;
        throw systemError('EMFILE', call);
      }
      if (call.name === 'link') linked = true;
      return perform();
    });
    await expect(store.create(key, mail, digestOf(mail))).rejects.toMatchObject({ kind: 'unknown' });
    expect(await store.verify(key, digestOf(mail))).toBe('same');
  });

  it('never takes a disk error after the link for something that looking settles', async () => {
    const folder = await emptyFolder();
    // Linux reports a failed write-back once: the next sync of the same folder succeeds and means nothing.
    let failed = false;
    hook(async (call, perform) => {
      if (!failed && call.name === 'handle.sync' && basename(call.path) === 'shop') {
        failed = true;
        throw systemError('EIO', call);
      }
      return perform();
    });
    const created = createSettled(openStore(folder), key, mail, digestOf(mail));
    await expect(created).rejects.toMatchObject({ kind: 'person', code: 'E_STORE_IO' });
  });

  it('tells a person that a file stands where a folder is needed', async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, 'mail'), 'x');
    const created = openStore(folder).create(key, mail, digestOf(mail));
    await expect(created).rejects.toMatchObject({ kind: 'person', code: 'E_STORE_PATH' });
  });

  it('does not call removed what a person protected', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    await store.create(key, mail, digestOf(mail));
    hook(async (call, perform) => {
      if (call.name === 'unlink' && call.path.endsWith(key)) throw systemError('EPERM', call);
      return perform();
    });
    await expect(store.remove(key)).rejects.toMatchObject({ kind: 'person', code: 'E_STORE_DENIED' });
  });

  it('makes anew a folder that was removed while the store is in use', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    await store.create(key, mail, digestOf(mail));
    await rm(join(folder, 'mail'), { recursive: true });
    expect(await store.create(key, mail, digestOf(mail))).toBe('created');
    expect(await contentOf(store, key)).toEqual(mail);
  });
});

describe('temporary files', () => {
  it('of dead processes are swept by age, those in use are not', async () => {
    const folder = await emptyFolder();
    await mkdir(join(folder, '.tmp'));
    await writeFile(join(folder, '.tmp/1-dead-1'), 'x');
    await writeFile(join(folder, '.tmp/1-alive-1'), 'x');
    const longAgo = Date.now() / 1000 - 25 * 3600;
    await utimes(join(folder, '.tmp/1-dead-1'), longAgo, longAgo);
    const { upload, digest } = await uploaded(openStore(folder), key, mail);
    await openStore(folder).create('mail/shop/other.eml', mail, digestOf(mail));
    expect((await leftovers(folder)).filter((name) => name.startsWith('1-'))).toEqual(['1-alive-1']);
    expect(await upload.complete(digest)).toBe('created');
  });

  it('that a write failed on never become objects, though the upload goes on', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    let full = false;
    hook(async (call, perform) => {
      if (full && call.name === 'handle.writeFile') throw systemError('ENOSPC', call);
      return perform();
    });
    const upload = await store.upload(key);
    await upload.write(mail.subarray(0, 5));
    full = true;
    const failed = upload.write(mail.subarray(5, 9));
    await expect(failed).rejects.toMatchObject({ kind: 'person', code: 'E_STORE_FULL' });
    full = false;
    await expect(upload.write(mail.subarray(9))).rejects.toMatchObject({ kind: 'later' });
    await expect(upload.complete(digestOf(mail))).rejects.toMatchObject({ kind: 'later' });
    expect(await store.read(key)).toBeNull();
    expect(await leftovers(folder)).toEqual([]);
  });

  it('swept under a sleeping upload cost it the upload, never a wrong object', async () => {
    const folder = await emptyFolder();
    const store = openStore(folder);
    const { upload, digest } = await uploaded(store, key, noise(100_000, 'sleeps'));
    await rm(join(folder, '.tmp'), { recursive: true });
    await expect(upload.complete(digest)).rejects.toMatchObject({ kind: 'later' });
    await upload.abort();
    expect(await store.read(key)).toBeNull();
    await expect(store.create(key, mail, digestOf(mail))).rejects.toMatchObject({ kind: 'later' });
    expect(await store.create(key, mail, digestOf(mail))).toBe('created');
  });
});
