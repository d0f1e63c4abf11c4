/** The bundler, on a small function that uses what ours use: the SDK and middy, run as Lambda runs it. */
import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCommand, bundleFunction } from '../../scripts/build.ts';
import { startRuntime } from '../servers/lambdaRuntime.ts';

const client = process.env['MAILFERRY_RIC'];

const FUNCTION = `
import { S3Client } from '@aws-sdk/client-s3';
import middy from '@middy/core';
export const handler = middy().handler(async (event: { name: string }) => {
  const s3 = new S3Client({ region: 'us-east-1' });
  return { hello: event.name, region: await s3.config.region() };
});`;

const COMMAND = `
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { parse } from 'yaml';
console.log(JSON.stringify({ args: process.argv.slice(2), parsed: parse('a: 1'), name: GetObjectCommand.name.length > 0 }));`;

describe('the build', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'build-'));
    await symlink(
      fileURLToPath(new URL('../../node_modules', import.meta.url)),
      join(folder, 'node_modules'),
    );
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, 'function.ts'), FUNCTION);
    await writeFile(join(folder, 'command.ts'), COMMAND);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.skipIf(!client)(
    'makes a function that runs under AWS’s runtime client with nothing beside it',
    async () => {
      const taskRoot = join(folder, 'function');
      const bundle = await bundleFunction(join(folder, 'function.ts'), taskRoot);
      // A third larger would mean that the SDK came as CommonJS, which cannot be shaken.
      expect(bundle.size).toBeLessThan(520_000);
      // Without packages to fall back on, whatever was left out of the bundle is missed.
      await rm(join(folder, 'node_modules'));
      const runtime = await startRuntime({
        client: client ?? '',
        taskRoot,
        handler: 'index.handler',
        timeoutMs: 20_000,
      });
      try {
        expect(await runtime.invoke({ name: 'Ada' })).toMatchObject({
          result: { hello: 'Ada', region: 'us-east-1' },
        });
      } finally {
        await runtime.stop();
        await symlink(
          fileURLToPath(new URL('../../node_modules', import.meta.url)),
          join(folder, 'node_modules'),
        );
      }
    },
  );

  it('makes a command that can be executed by its name', async () => {
    const file = join(folder, 'bin', 'command.mjs');
    await buildCommand(join(folder, 'command.ts'), file);
    await access(file, constants.X_OK);
    const { stdout } = await promisify(execFile)(file, ['one', 'two']);
    expect(JSON.parse(stdout)).toEqual({ args: ['one', 'two'], parsed: { a: 1 }, name: true });
  });
});
