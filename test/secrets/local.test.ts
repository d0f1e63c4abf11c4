import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { secretsByScheme } from '../../lib/secrets/byScheme.ts';
import { environmentSecrets } from '../../lib/secrets/environment.ts';
import { fileSecrets, MAX_SECRET_FILE_BYTES } from '../../lib/secrets/file.ts';
import { Secret } from '../../lib/secrets/port.ts';
import { secretsContract } from './contract.ts';
import { expectHidden, refusal } from './hiding.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mailferry-secrets-'));
  folders.push(folder);
  return folder;
}

function environmentSource() {
  const env: Record<string, string | undefined> = {};
  return {
    secrets: environmentSecrets(env),
    async put(reference: string, value: string | null) {
      env[reference.slice('env:'.length)] = value ?? undefined;
    },
  };
}

async function fileSource() {
  const folder = await makeFolder();
  return {
    secrets: fileSecrets(folder),
    async put(reference: string, value: string | null) {
      const path = join(folder, reference.slice('file:'.length));
      if (value === null) await rm(path);
      else await writeFile(path, value);
    },
  };
}

const ENV = { good: ['env:ONE', 'env:OTHER'], missing: 'env:MISSING', scheme: 'env' } as const;
const FILE = { good: ['file:one', 'file:./o ther'], missing: 'file:missing', scheme: 'file' } as const;

secretsContract('The environment', ENV, async () => environmentSource());
secretsContract('A folder of files', FILE, fileSource);
secretsContract('Secrets by scheme', ENV, async () => {
  const { secrets, put } = environmentSource();
  return { secrets: secretsByScheme({ env: secrets, file: fileSecrets('/') }), put };
});

describe('a secret in the environment', () => {
  it.each(['constructor', '__proto__', 'toString'])('is not what objects inherit: %s', async (name) => {
    expect(await refusal(environmentSecrets({}).read(`env:${name}`, false))).toMatchObject({
      code: 'E_SECRET_MISSING',
    });
  });
});

describe('a secret in a file', () => {
  it.each([
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\n\n', 'secret\n'],
    [' two\nlines ', ' two\nlines '],
    ['\ufeffsecret', 'secret'],
  ])('is the whole file but one line end: %j', async (content, secret) => {
    const { secrets, put } = await fileSource();
    await put('file:one', content);
    expect((await secrets.read('file:one', false)).reveal()).toBe(secret);
  });

  it('is found by an absolute path and through a symbolic link, as Kubernetes mounts them', async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, '..data'));
    await writeFile(join(folder, '..data', 'key'), 'secret');
    await symlink('..data/key', join(folder, 'key'));
    const secrets = fileSecrets('/nonexistent');
    expect((await secrets.read(`file:${join(folder, 'key')}`, false)).reveal()).toBe('secret');
  });

  it('may have exactly as many bytes as the limit, and not one more', async () => {
    const { secrets, put } = await fileSource();
    const longest = randomBytes(MAX_SECRET_FILE_BYTES / 2).toString('hex');
    await put('file:one', longest);
    expect((await secrets.read('file:one', false)).reveal()).toBe(longest);
    await put('file:one', `${longest}x`);
    const error = await refusal(secrets.read('file:one', false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_MALFORMED' });
    expect(error.message).toContain(`${MAX_SECRET_FILE_BYTES} bytes`);
  });

  it('is not a folder, a pipe that nobody writes to, a link to itself or a file within a file', async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, 'folder'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await symlink('circle', join(folder, 'circle'));
    await writeFile(join(folder, 'file'), 'x');
    const codeOf = async (path: string) =>
      (await refusal(fileSecrets(folder).read(`file:${path}`, false))).code;
    expect(await codeOf('folder')).toBe('E_SECRET_MALFORMED');
    expect(await codeOf('pipe')).toBe('E_SECRET_MALFORMED');
    expect(await codeOf('circle')).toBe('E_SECRET_MALFORMED');
    expect(await codeOf('file/within')).toBe('E_SECRET_MISSING');
    expect(await codeOf('x'.repeat(300))).toBe('E_SECRET_MALFORMED');
  });

  it('is text, and the refusal of other bytes does not show them', async () => {
    const folder = await makeFolder();
    const canary = randomBytes(12).toString('hex');
    await writeFile(join(folder, 'binary'), Buffer.concat([Buffer.from(canary), Buffer.from([0xff])]));
    const error = await refusal(fileSecrets(folder).read('file:binary', false));
    expect(error.code).toBe('E_SECRET_MALFORMED');
    expectHidden(error, canary);
  });
});

describe('secrets by scheme', () => {
  it('send each reference to its own source, and pass "fresh" on', async () => {
    const asked: unknown[] = [];
    const source = (name: string) => ({
      async read(reference: string, fresh: boolean) {
        asked.push([name, reference, fresh]);
        return new Secret(name);
      },
    });
    const secrets = secretsByScheme({ file: source('a'), secretsmanager: source('b') });
    expect((await secrets.read('file:env:x', true)).reveal()).toBe('a');
    expect((await secrets.read('secretsmanager:x#y', false)).reveal()).toBe('b');
    expect(asked).toEqual([
      ['a', 'file:env:x', true],
      ['b', 'secretsmanager:x#y', false],
    ]);
  });

  it('say which schemes there are, where one is not available', async () => {
    const secrets = secretsByScheme({ env: environmentSecrets({}), file: fileSecrets('/') });
    const error = await refusal(secrets.read('secretsmanager:x#y', false));
    expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_SCHEME', reference: 'secretsmanager:x#y' });
    expect(error.message).toContain('env:, file:');
  });
});

describe('a Secret', () => {
  it('shows itself to nobody, alone or within other things', () => {
    const canary = randomBytes(12).toString('base64');
    const secret = new Secret(canary);
    expect(secret.reveal()).toBe(canary);
    for (const thing of [
      secret,
      { secret },
      [secret],
      new Map([['secret', secret]]),
      new Error(`${secret}`, { cause: secret }),
    ]) {
      expectHidden(thing, canary);
    }
    expect(inspect(secret)).toBe('[secret]');
    expect(() => structuredClone(secret)).not.toThrow();
    expectHidden(structuredClone(secret), canary);
  });
});
