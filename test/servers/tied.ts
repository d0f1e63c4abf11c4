/**
 * Starts processes that cannot outlive the test that started them: the kernel ends them when this process does,
 * however it does (a test runner that gives up on a worker kills it, and no exit handler runs then).
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Linux only, as all the real servers of the tests are. `signal` is what the process gets when we end. */
export function spawnTied(
  command: readonly [string, ...string[]],
  signal: 'TERM' | 'KILL',
  options: SpawnOptions,
): ChildProcess {
  // setpriv replaces itself by the program, so the pid is the program's own.
  return spawn('setpriv', ['--pdeathsig', signal, '--', ...command], options);
}

/** Signals the process unless it has ended, and waits for its end. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
