import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileSaver, fileSecrets } from '../../lib/secrets/file.ts';
import { Secret } from '../../lib/secrets/port.ts';
import { saverByScheme } from '../../lib/secrets/saverByScheme.ts';
import { secretsManager } from '../../lib/secrets/secretsManager.ts';
import { startSecretVault } from '../servers/secretVault.ts';
import { expectHidden, refusal } from './hiding.ts';
import { saverContract } from './saverContract.ts';

async function folderOfFiles() {
  const folder = await mkdtemp(join(tmpdir(), 'mailferry-savers-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  let closed = false;
  // Root may write to a folder without rights, but nobody into one that is not there.
  const nonce = () => (closed ? 'absent/x' : randomBytes(8).toString('hex'));
  return {
    folder,
    secrets: fileSecrets(folder),
    saver: fileSaver(folder, nonce),
    another: () => fileSaver(folder, nonce),
    put: (reference: string, value: string) =>
      writeFile(join(folder, reference.slice('file:'.length)), value),
    async close() {
      closed = true;
    },
  };
}

async function vault() {
  const started = await startSecretVault({ accounts: '{}' });
  onTestFinished(() => started.stop());
  const waitsMs: number[] = [];
  const open = () =>
    secretsManager({
      region: 'us-east-1',
      endpoint: started.endpoint,
      credentials: { accessKeyId: 'AKIATEST', secretAccessKey: randomBytes(20).toString('hex') },
      now: () => 1_000_000,
      sleep: async (ms) => {
        waitsMs.push(ms);
      },
      random: () => 0.5,
    });
  const manager = open();
  return {
    vault: started,
    waitsMs,
    secrets: manager,
    saver: manager,
    another: open,
    async put(reference: string, value: string) {
      const key = reference.slice(reference.indexOf('#') + 1);
      const accounts = JSON.parse(started.secrets.get('accounts') ?? '{}');
      started.secrets.set('accounts', JSON.stringify({ ...accounts, [key]: value }));
    },
    async close() {
      started.putFaults.push({ status: 400, type: 'AccessDeniedException' });
    },
  };
}

saverContract('A folder of files', ['file:one', 'file:other'], folderOfFiles);
saverContract('Savers by scheme', ['file:one', 'file:other'], async () => {
  const files = await folderOfFiles();
  return { ...files, saver: saverByScheme({ file: files.saver }) };
});
saverContract('Secrets Manager', ['secretsmanager:accounts#a', 'secretsmanager:accounts#b'], vault);

describe('a file that is replaced', () => {
  it('keeps its mode, and is a new one for its owner alone', async () => {
    const { folder, saver, put } = await folderOfFiles();
    await put('file:one', 'x');
    await chmod(join(folder, 'one'), 0o640);
    await saver.save('file:one', new Secret('y'), new Secret('x'));
    expect((await stat(join(folder, 'one'))).mode & 0o777).toBe(0o640);
    await saver.save('file:new', new Secret('y'), null);
    expect((await stat(join(folder, 'new'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'new'), 'utf8')).toBe('y\n');
    expect((await readdir(folder)).sort()).toEqual(['new', 'one']);
  });

  it('stays what a symbolic link leads to', async () => {
    const { folder, saver, secrets } = await folderOfFiles();
    await mkdir(join(folder, 'kept'));
    await writeFile(join(folder, 'kept', 'one'), 'x');
    await symlink('kept/one', join(folder, 'link'));
    await saver.save('file:link', new Secret('y'), new Secret('x'));
    expect(await readFile(join(folder, 'kept', 'one'), 'utf8')).toBe('y\n');
    expect((await secrets.read('file:link', true)).reveal()).toBe('y');
  });

  it('is whole at every moment for whoever reads it', async () => {
    const { saver, secrets, put } = await folderOfFiles();
    const values = Array.from({ length: 40 }, () => randomBytes(16_000).toString('hex'));
    const [first = ''] = values;
    await put('file:one', first);
    let done = false;
    const reading = (async () => {
      const seen: string[] = [];
      while (!done) seen.push((await secrets.read('file:one', true)).reveal());
      return seen;
    })();
    for (const value of values) await saver.save('file:one', new Secret(value), null);
    done = true;
    const seen = await reading;
    expect(seen.length).toBeGreaterThan(1);
    for (const value of seen) expect(values).toContain(value);
  });

  it('is refused beforehand where its folder is none', async () => {
    const { saver, put } = await folderOfFiles();
    await put('file:plain', 'x');
    const error = await refusal(saver.prove('file:plain/one'));
    expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_DENIED', reference: 'file:plain/one' });
    expect(error.message).toContain('may write to');
    expect((await refusal(saver.prove('file:absent/one'))).kind).toBe('person');
  });
});

describe('an environment', () => {
  it('takes nothing, and what to do is said', async () => {
    const { saver } = await folderOfFiles();
    const error = await refusal(saverByScheme({ file: saver, secretsmanager: saver }).prove('env:REFRESH'));
    expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_SCHEME', reference: 'env:REFRESH' });
    expect(error.message).toContain('Put it into file: or secretsmanager:');
  });
});

describe('an account in a shared secret', () => {
  const A = 'secretsmanager:accounts#a';

  it('is put beside what others put there at the same moment', async () => {
    const { vault: started, another } = await vault();
    const keys = Array.from({ length: 4 }, (_, at) => `k${at}`);
    const saved = await Promise.all(
      keys.map((key) => another().save(`secretsmanager:accounts#${key}`, new Secret(`of ${key}`), null)),
    );
    expect(saved).toEqual(keys.map(() => true));
    expect(JSON.parse(started.secrets.get('accounts') ?? '')).toEqual(
      Object.fromEntries(keys.map((key) => [key, `of ${key}`])),
    );
  });

  it('is there once where the answer to the write was lost', async () => {
    const { vault: started, saver, put } = await vault();
    await put(A, 'x');
    started.putFaults.push({ status: 500, type: 'InternalServiceError', done: true });
    const error = await refusal(saver.save(A, new Secret('y'), new Secret('x')));
    expect(error).toMatchObject({ kind: 'later', code: 'E_SECRET_UNAVAILABLE' });
    expect(await saver.save(A, new Secret('y'), new Secret('x'))).toBe(true);
    expect(started.puts).toEqual(['accounts']);
  });

  it('is put although a person went back to an older version', async () => {
    const { vault: started, saver, put } = await vault();
    await put(A, 'x');
    await saver.save(A, new Secret('y'), new Secret('x'));
    await put(A, 'x');
    expect(await saver.save(A, new Secret('z'), new Secret('x'))).toBe(true);
    expect(JSON.parse(started.secrets.get('accounts') ?? '')).toEqual({ a: 'z' });
  });

  it('is not put where the role may not, and the right is named', async () => {
    const { vault: started, saver, put } = await vault();
    await put(A, 'x');
    started.putFaults.push({ status: 400, type: 'AccessDeniedException' });
    const error = await refusal(saver.save(A, new Secret('y'), new Secret('x')));
    expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_DENIED' });
    expect(error.message).toContain('secretsmanager:PutSecretValue');
  });

  it.each(['[1]', '"text"', 'not JSON at all'])(
    'is not put into what is no JSON object: %s',
    async (whole) => {
      const { vault: started, saver } = await vault();
      started.secrets.set('accounts', whole);
      const error = await refusal(saver.save(A, new Secret('y'), null));
      expect(error).toMatchObject({ kind: 'person', code: 'E_SECRET_MALFORMED' });
      expectHidden(error, whole);
      expect(started.puts).toEqual([]);
    },
  );

  it('is the whole secret where no key is named', async () => {
    const { vault: started, saver } = await vault();
    started.secrets.set('one', 'x');
    expect(await saver.save('secretsmanager:one', new Secret('y'), new Secret('x'))).toBe(true);
    expect(started.secrets.get('one')).toBe('y');
  });
});
