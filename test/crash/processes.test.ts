/** Two commands on one mailbox and one folder at once, as when a schedule overtakes itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Command, installCommand } from '../real/endsCommand.ts';
import { type FolderEnd, startFolder } from '../real/endsFar.ts';
import { type NearEnd, passwordOf, startMail } from '../real/endsMail.ts';
import { needing } from '../real/endsParts.ts';
import { trialMail } from './mailForTrials.ts';
import { comeToRest } from './rest.ts';

const ROUNDS = 5;

const { missing, title } = needing(`two commands at once, ${ROUNDS} times`, 'dovecot');

describe.skipIf(missing)(title, () => {
  let near: NearEnd;
  let far: FolderEnd;
  let command: Command;

  beforeAll(async () => {
    [near, far, command] = await Promise.all([startMail(ROUNDS), startFolder(), installCommand()]);
  });
  afterAll(async () => {
    await command?.stop();
    await near?.server.stop();
    await far?.stop();
  });

  const run = async (user: string) => {
    const { report, words } = await command.fetch({
      mailbox: { id: user, port: near.server.port, user, delete: 'when-stored' },
      password: passwordOf(near.server, user),
      ca: near.server.ca,
      store: { folder: far.folder },
      events: { file: far.eventsFile },
    });
    expect(report?.error, words).toBeNull();
  };

  it('lose nothing, store nothing twice, delete what is stored alone', async () => {
    let repeated = 0;
    for (const { name: user } of near.server.users) {
      const messages = trialMail(user);
      await near.server.put(user, messages);
      const oracle = await near.oracle(user);
      await Promise.all([run(user), run(user)]);
      // Each of the two may announce each message once.
      const disturbed = { user, oracle, run: () => run(user), maxRepeats: messages.length };
      repeated += (await comeToRest({ near, far }, disturbed)).repeated;
    }
    console.log(`${title}: ${repeated} announcements repeated`);
  });
});
