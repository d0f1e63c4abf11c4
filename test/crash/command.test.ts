/** The installed command, killed at every step of its way from Dovecot to a folder. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageKey } from '../../lib/mailbox/names.ts';
import { type Command, type Fetching, installCommand } from '../real/endsCommand.ts';
import { type FolderEnd, startFolder } from '../real/endsFar.ts';
import type { Oracle } from '../real/endsLedger.ts';
import { type NearEnd, passwordOf, startMail } from '../real/endsMail.ts';
import { needing } from '../real/endsParts.ts';
import type { KillAt } from './killFiles.ts';
import { LARGE_AT } from './mailForTrials.ts';
import { type Pop3Gate, startPop3Gate } from './pop3Gate.ts';
import { FILE_STEPS, POP3_STEPS, titled } from './steps.ts';
import { type Fate, Trap } from './trap.ts';
import { attempt, Tally } from './trial.ts';

const { missing, title } = needing('the command, killed on its way to a folder', 'dovecot');

const KILL_FILES = fileURLToPath(new URL('./killFiles.ts', import.meta.url));

describe.skipIf(missing)(title, () => {
  let near: NearEnd;
  let far: FolderEnd;
  let gate: Pop3Gate;
  let command: Command;
  let users = 0;
  const tally = new Tally();

  beforeAll(async () => {
    near = await startMail(POP3_STEPS.length + FILE_STEPS.length + 1);
    [far, gate, command] = await Promise.all([startFolder(), startPop3Gate(near.server), installCommand()]);
  });
  afterAll(async () => {
    await command?.stop();
    await gate?.stop();
    await near?.server.stop();
    await far?.stop();
    console.log(tally.told(title));
  });

  const fetching = (user: string): Fetching => ({
    mailbox: { id: user, port: gate.port, user, delete: 'when-stored' },
    password: passwordOf(near.server, user),
    ca: gate.ca,
    store: { folder: far.folder },
    events: { file: far.eventsFile },
  });
  const run = async (user: string) => {
    const { code, report, words } = await command.fetch(fetching(user));
    expect(report, words).toMatchObject({ outcome: 'done', error: null, counts: { failed: 0, setAside: 0 } });
    expect(code).toBe(0);
  };
  const tried = async (maxRepeats: number, killed: (user: string, oracle: Oracle) => Promise<void>) => {
    users += 1;
    const user = `u${users}`;
    const trial = {
      user,
      maxRepeats,
      run: () => run(user),
      killed: (oracle: Oracle) => killed(user, oracle),
    };
    return attempt({ near, far, gate }, trial);
  };

  it('does it all in one run when nobody kills it', async () => {
    // Also finds out once what the folder is able to, so that no trial's run has that on its way.
    expect(await tried(0, run)).toMatchObject({ repeated: 0 });
  });

  it.each(titled(POP3_STEPS))('%s', async (name, step) => {
    const count = await tried(step.repeats, async (user) => {
      const running = await command.start(fetching(user));
      const trap = new Trap(step.at, async (): Promise<Fate> => {
        running.kill();
        await running.ended;
        return 'gone';
      });
      gate.trap = trap;
      expect(await running.ended).toMatchObject({ signal: 'SIGKILL' });
      gate.trap = null;
      expect(trap.struck).toBe(1);
    });
    tally.add(name, count);
  });

  it.each(titled(FILE_STEPS))('%s', async (name, step) => {
    const count = await tried(step.repeats, async (user, oracle) => {
      const large = messageKey(user, [...oracle.keys()][LARGE_AT] ?? '');
      const path = step.at.path.replace('{mailbox}', user).replace('{large}', large);
      const at: KillAt = { ...step.at, path };
      const killed = { ...fetching(user), preload: KILL_FILES, env: { KILL_AT: JSON.stringify(at) } };
      expect(await command.fetch(killed)).toMatchObject({ signal: 'SIGKILL' });
    });
    tally.add(name, count);
  });
});
