/**
 * Loaded into a process before the command: ends it with SIGKILL at one call to the file system, which the
 * environment names. KILL_AT is JSON: the function, a part of the path (of a link: of its new name), which such
 * call, and whether before, after, or (of a write) within.
 */
import { promises as fs } from 'node:fs';

export interface KillAt {
  readonly call: 'link' | 'open' | 'write' | 'sync';
  readonly path: string;
  readonly nth: number;
  readonly when: 'before' | 'after' | 'within';
}

/** Less than one event, so that a torn line has none before it to hide behind. */
const WITHIN_BYTES = 100;

type Method = (...args: unknown[]) => Promise<unknown>;

const { call, path, nth, when } = JSON.parse(process.env['KILL_AT'] ?? '{}') as KillAt;
let came = 0;

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

/** `perform` makes the call, with other arguments where given. */
async function meet(
  name: string,
  where: string,
  perform: (...args: unknown[]) => Promise<unknown>,
  args: unknown[],
) {
  if (name !== call || !where.includes(path) || ++came !== nth) return perform(...args);
  if (when === 'before') return die();
  if (when === 'within') {
    const bytes = args[0] as Buffer;
    await perform(bytes.subarray(0, WITHIN_BYTES));
    return die();
  }
  await perform(...args);
  return die();
}

const module = fs as unknown as Record<string, Method>;
const { link, open } = module as { link: Method; open: Method };
module['link'] = (...args) => meet('link', String(args[1]), link.bind(fs), args);
module['open'] = async (...args) => {
  const file = String(args[0]);
  const handle = (await meet('open', file, open.bind(fs), args)) as Record<string, Method>;
  for (const [name, method] of [
    ['write', 'write'],
    ['writeFile', 'write'],
    ['sync', 'sync'],
  ] as const) {
    const original = handle[name] as Method;
    handle[name] = (...given) => meet(method, file, original.bind(handle), given);
  }
  return handle;
};
