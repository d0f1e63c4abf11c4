/** The command as it is installed, bundled into one file, each time in a process of its own. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunReport } from '../../lib/fetch/report.ts';
import type { EventsSettings, Mailbox, StoreSettings } from '../../lib/mailbox/settings.ts';
import { buildCommand } from '../../scripts/build.ts';
import { end, spawnTied } from '../servers/tied.ts';

export interface Fetching {
  readonly mailbox: Partial<Mailbox> & Pick<Mailbox, 'id' | 'port' | 'user'>;
  readonly password: string;
  /** PEM, of the POP3 server's authority. */
  readonly ca: string;
  readonly store: StoreSettings;
  readonly events: EventsSettings;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeLimitSeconds?: number;
  /** A module that the process loads before the command. */
  readonly preload?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Undefined where the process did not come to it. */
  readonly report: RunReport | undefined;
  readonly words: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  kill(): void;
}

export interface Command {
  start(fetching: Fetching): Promise<Running>;
  fetch(fetching: Fetching): Promise<Ended>;
  /** Ends what still runs and removes its folder. */
  stop(): Promise<void>;
}

export async function installCommand(): Promise<Command> {
  const folder = await mkdtemp(join(tmpdir(), 'command-'));
  const file = join(folder, 'mailferry.mjs');
  await buildCommand(fileURLToPath(new URL('../../bin/mailferry.ts', import.meta.url)), file);
  const children = new Set<ChildProcess>();
  let count = 0;

  const start = async (fetching: Fetching): Promise<Running> => {
    count += 1;
    const settings = join(folder, `settings-${count}.yaml`);
    await writeFile(settings, JSON.stringify(settingsOf(fetching)));
    const preload = fetching.preload === undefined ? [] : [`--import=${fetching.preload}`];
    const limit = String(fetching.timeLimitSeconds ?? 60);
    const argv = [file, 'fetch', '--config', settings, '--json', '--time-limit', limit];
    const child = spawnTied([process.execPath, ...preload, ...argv], 'KILL', {
      env: { PATH: process.env['PATH'], PASSWORD: fetching.password, ...fetching.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    return {
      pid: child.pid ?? -1,
      ended: endOf(child).finally(() => children.delete(child)),
      kill: () => void child.kill('SIGKILL'),
    };
  };
  return {
    start,
    fetch: async (fetching) => (await start(fetching)).ended,
    async stop() {
      for (const child of children) await end(child, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function settingsOf({ mailbox, ca, store, events }: Fetching): object {
  const given = { host: 'localhost', password: 'env:PASSWORD', ca, ...mailbox };
  return { store, events, mailboxes: [given] };
}

async function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let words = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece;
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    words += piece;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const report = stdout === '' ? undefined : (JSON.parse(stdout) as RunReport);
  return { code, signal, report, words };
}
