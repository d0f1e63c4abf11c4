/** The service as it is in the tree, in a folder of its own, and osls as a person runs it there. */
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFunctions } from '../../scripts/build.ts';
import { zipFunctions } from '../../scripts/functionsZip.ts';
import { spawnTied } from '../servers/tied.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const STAGE = 'test';

export interface Service {
  readonly folder: string;
  /** osls with the stage and the emulator as its target; rejects with its words unless it ends with 0. */
  osls(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  remove(): Promise<void>;
}

/** `osls` is the part's (MAILFERRY_OSLS). */
export async function stageService(osls: string): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'service-'));
  for (const part of ['serverless.yml', 'infra'])
    await cp(join(root, part), join(folder, part), { recursive: true });
  const functions = join(folder, 'dist', 'functions');
  await mkdir(functions, { recursive: true });
  await buildFunctions(functions);
  await zipFunctions(functions, `${functions}.zip`);
  return {
    folder,
    osls: (args, env = {}) => run([osls, ...args, '--stage', STAGE], folder, env),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function run(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  // No account of the person's who runs the tests may be touched.
  const own = { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', SLS_NOTIFICATIONS_MODE: 'off' };
  const child = spawnTied([process.execPath, ...args], 'KILL', {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words += text;
    });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`osls ${args.slice(1).join(' ')}: ${words}`);
  return words;
}
