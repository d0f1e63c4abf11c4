/** The sandbox in which functions are tested, tried with handlers that misbehave in each way it must tell apart. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Runtime, startRuntime } from '../servers/lambdaRuntime.ts';

const client = process.env['MAILFERRY_RIC'];
const title = client ? 'a Lambda sandbox' : 'a Lambda sandbox, skipped: no runtime client (MAILFERRY_RIC)';

const HANDLER = `
let count = 0;
exports.handler = async (event, context) => {
  count += 1;
  if (event.throw) throw new RangeError('thrown by the handler');
  if (event.exit) process.exit(3);
  if (event.crash) { setImmediate(() => { throw new Error('outside of any promise'); }); await new Promise(() => {}); }
  if (event.hang) { setInterval(() => {}, 1000); await new Promise(() => {}); }
  if (event.spin) for (;;);
  if (event.fill) globalThis.kept = Buffer.alloc(event.fill, 1);
  return { count, pid: process.pid, node: process.versions.node, remaining: context.getRemainingTimeInMillis(), env: process.env };
};`;

describe.skipIf(!client)(title, () => {
  let taskRoot: string;
  let runtime: Runtime;

  beforeAll(async () => {
    taskRoot = await mkdtemp(join(tmpdir(), 'function-'));
    await writeFile(join(taskRoot, 'index.js'), HANDLER);
    await writeFile(join(taskRoot, 'broken.js'), `require('./no-such-file');`);
  });
  afterAll(() => rm(taskRoot, { recursive: true, force: true }));
  afterEach(() => runtime?.stop());

  const start = async (handler: string, timeoutMs: number) => {
    runtime = await startRuntime({
      client: client ?? '',
      taskRoot,
      handler,
      timeoutMs,
      env: { SECRET_ARN: 'arn' },
    });
    return runtime;
  };
  const result = async (event: object) => {
    const outcome = await runtime.invoke(event);
    if (!('result' in outcome)) throw new Error(JSON.stringify(outcome));
    return outcome.result as {
      count: number;
      pid: number;
      node: string;
      remaining: number;
      env: NodeJS.ProcessEnv;
    };
  };

  it('runs a handler on the Node of these tests, warm, with its time and its environment alone', async () => {
    await start('index.handler', 20_000);
    process.env['MAILFERRY_LEAK'] = 'ours';
    const first = await result({});
    const second = await result({});
    delete process.env['MAILFERRY_LEAK'];
    expect([first.count, second.count]).toEqual([1, 2]);
    expect(first.node).toBe(process.versions.node);
    expect(first.remaining).toBeGreaterThan(0);
    expect(first.remaining).toBeLessThanOrEqual(20_000);
    expect(first.env['AWS_LAMBDA_FUNCTION_NAME']).toBe('test');
    expect(first.env['SECRET_ARN']).toBe('arn');
    expect(first.env['MAILFERRY_LEAK']).toBeUndefined();
    expect(runtime.starts).toBe(1);
  });

  it('tells a thrown error and keeps the process', async () => {
    await start('index.handler', 20_000);
    const outcome = await runtime.invoke({ throw: true });
    expect(outcome).toMatchObject({
      error: { errorType: 'RangeError', errorMessage: 'thrown by the handler' },
    });
    expect((await result({})).count).toBe(2);
  });

  it.each(['hang', 'spin'])(
    'kills a handler that would %s past its deadline, and the next event starts anew',
    async (how) => {
      await start('index.handler', 1_000);
      const first = await result({});
      expect(await runtime.invoke({ [how]: true })).toMatchObject({ killed: 'deadline', signal: 'SIGKILL' });
      expect(existsSync(`/proc/${first.pid}`)).toBe(false);
      expect((await result({})).count).toBe(1);
      expect(runtime.starts).toBe(2);
    },
  );

  it('sees a process that exits or crashes, with its words, and the next event starts anew', async () => {
    await start('index.handler', 20_000);
    expect(await runtime.invoke({ exit: true })).toMatchObject({ killed: 'exit', code: 3 });
    const crash = await runtime.invoke({ crash: true });
    expect('result' in crash).toBe(false);
    expect(runtime.log).toContain('outside of any promise');
    expect((await result({})).count).toBe(1);
  });

  it('tells of a function that cannot be loaded', async () => {
    await start('broken.handler', 20_000);
    expect(await runtime.invoke({})).toMatchObject({ error: { errorType: 'Runtime.ImportModuleError' } });
  });

  it('measures the peak of memory', async () => {
    await start('index.handler', 20_000);
    const before = await runtime.invoke({});
    const after = await runtime.invoke({ fill: 100_000_000 });
    expect(before.peakBytes).toBeGreaterThan(10_000_000);
    expect(after.peakBytes! - before.peakBytes!).toBeGreaterThan(80_000_000);
  });

  it('can be lost at any time', async () => {
    await start('index.handler', 60_000);
    await result({});
    const under = runtime.invoke({ hang: true });
    await expect(runtime.invoke({})).rejects.toThrow('busy');
    await runtime.kill();
    expect(await under).toMatchObject({ killed: 'exit', signal: 'SIGKILL' });
    expect(runtime.pid).toBeUndefined();
  });
});
