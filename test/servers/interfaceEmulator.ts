/**
 * AWS's runtime interface emulator around a bundled handler. What it does otherwise than Lambda: two events at once make
 * it panic, a function that took too long is a sentence with status 200, and it listens everywhere unless told where.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './freePort.ts';
import { type Ending, lambdaEnvironment, type RuntimeOptions, type Sandbox } from './lambdaRuntime.ts';
import { end, spawnTied } from './tied.ts';

const PATH = '/2015-03-31/functions/function/invocations';
const UP_MS = 10_000;

/** One event at a time. `program`: the emulator's path. */
export async function startEmulated(
  program: string,
  { client, taskRoot, handler, env, timeoutMs, memoryMb = 512 }: RuntimeOptions,
): Promise<Sandbox> {
  const port = await freePort();
  const api = `127.0.0.1:${await freePort(port)}`;
  const { AWS_LAMBDA_RUNTIME_API: _, ...lambda } = lambdaEnvironment(
    { client, taskRoot, handler, timeoutMs, memoryMb },
    api,
  );
  let log = '';
  const child = spawnTied(
    [
      ...([program, '--runtime-interface-emulator-address', `127.0.0.1:${port}`] as const),
      ...['--runtime-api-address', api, process.execPath, client, handler],
    ],
    'KILL',
    {
      cwd: taskRoot,
      env: { ...lambda, AWS_LAMBDA_FUNCTION_TIMEOUT: String(Math.ceil(timeoutMs / 1000)), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its function's process lives on where it is killed by itself.
      detached: true,
    },
  );
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (words: string) => {
      log += words;
    });
  const stop = async () => {
    const gone = end(child, 'SIGTERM');
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
    await gone;
  };
  await untilUp(port, () => log).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    invoke: (event) => invoke(port, event),
    stop,
    get log() {
      return log;
    },
  };
}

async function untilUp(port: number, log: () => string): Promise<void> {
  for (const beganMs = Date.now(); Date.now() - beganMs < UP_MS; await sleep(50)) {
    const asked = request({ host: '127.0.0.1', port, path: '/', agent: false });
    const [answer] = await once(asked.end(), 'response').catch(() => []);
    if (answer === undefined) continue;
    answer.resume();
    return;
  }
  throw new Error(`The emulator did not come up: ${log()}`);
}

async function invoke(port: number, event: unknown): Promise<Ending> {
  const asked = request({ host: '127.0.0.1', port, path: PATH, method: 'POST', agent: false });
  asked.end(JSON.stringify(event));
  const [answer] = await once(asked, 'response');
  const body = await text(answer);
  if (/^Task timed out/.test(body)) return { killed: 'deadline', code: null, signal: 'SIGKILL' };
  if (answer.statusCode !== 200) return { killed: 'exit', code: null, signal: null };
  const result = JSON.parse(body);
  const failed = typeof result?.errorType === 'string';
  return failed ? { error: result } : { result };
}
