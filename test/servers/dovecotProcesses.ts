/** The processes of one Dovecot, found among all by their parent: its master forks each of them itself. */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DovecotProcess {
  /** With `verbose_proctitle`, whom it serves: "dovecot/pop3 [u1 127.0.0.1]". */
  readonly title: string;
  /** SIGKILL; false where it has ended. */
  kill(): boolean;
  /** Resolves when it is dead, and what it had open is closed. */
  gone(): Promise<void>;
}

const LOOK_MS = 2;

export async function childrenOf(master: number): Promise<readonly DovecotProcess[]> {
  const children: DovecotProcess[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [stat = '', title = ''] = await Promise.all(
      ['stat', 'cmdline'].map((file) => readFile(join('/proc', pid, file), 'utf8').catch(() => '')),
    );
    if (parentIn(stat) !== master) continue;
    children.push({ title, kill: () => killed(pid, master), gone: () => gone(pid) });
  }
  return children;
}

/** SIGKILLs the processes that serve this user's sessions; how many. */
export async function killSessions(master: number, user: string): Promise<number> {
  const sessions = (await childrenOf(master)).filter(({ title }) =>
    title.startsWith(`dovecot/pop3 [${user} `),
  );
  return sessions.filter(({ kill }) => kill()).length;
}

/** Looked at once more, at once before: a number that has become free may be another process's now. */
function killed(pid: string, master: number): boolean {
  try {
    return (
      parentIn(readFileSync(join('/proc', pid, 'stat'), 'utf8')) === master &&
      process.kill(Number(pid), 'SIGKILL')
    );
  } catch {
    // It ended by itself since it was found.
    return false;
  }
}

/** "pid (name) state ppid …"; the name may hold anything, so from its last bracket on. */
function parentIn(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Dead and not yet asked for by its parent is as good as gone. */
async function gone(pid: string): Promise<void> {
  for (;;) {
    const stat = await readFile(join('/proc', pid, 'stat'), 'utf8').catch(() => '');
    if (stat === '' || /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))) return;
    await sleep(LOOK_MS);
  }
}
