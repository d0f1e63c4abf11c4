/** A Dovecot with the corpus in its mailboxes, and what its own log says of each session. */
import { corpus, generated, LARGE_BYTES, selfCutting } from '../corpus.ts';
import { type Dovecot, startDovecot } from '../servers/dovecot.ts';
import { type Mailbox, recordRetr } from '../servers/recordRetr.ts';
import type { Oracle } from './endsLedger.ts';
import { PARTS } from './endsParts.ts';

export interface NearEnd {
  readonly server: Dovecot;
  /** For the oracle's reader. */
  mailbox(user: string): Mailbox;
  /** What RETR gives now, by UIDL. */
  oracle(user: string): Promise<Oracle>;
  /** RETRs that the sessions of this user were answered, in the order in which the sessions ended. */
  retrieved(user: string): Promise<readonly number[]>;
}

export async function startMail(users: number): Promise<NearEnd> {
  const server = await startDovecot(PARTS.dovecot, { users });
  const { host, port, ca } = server;
  const mailbox = (user: string): Mailbox => ({
    host,
    port,
    ca,
    name: user,
    password: passwordOf(server, user),
  });
  return {
    server,
    mailbox,
    oracle: (user) => recordRetr(mailbox(user)),
    async retrieved(user) {
      const lines = (await server.log()).split('\n').filter((line) => line.includes(`pop3(${user})`));
      return lines.flatMap((line) => {
        const [, count] = /retr=(\d+)\//.exec(line) ?? [];
        return count === undefined ? [] : [Number(count)];
      });
    },
  };
}

export function passwordOf(server: Dovecot, user: string): string {
  return server.users.find(({ name }) => name === user)?.password ?? '';
}

/** Everything that a plain reader survives, the 60 MB message in the middle. */
export function wholeCorpus(): Buffer[] {
  const messages = corpus().map(({ bytes }) => bytes());
  return messages.toSpliced(messages.length / 2, 0, Buffer.concat([...generated(LARGE_BYTES)]));
}

/** Some of the corpus, with the message that cuts itself among it. */
export function cuttingCorpus(): {
  readonly before: Buffer[];
  readonly cutting: Buffer;
  readonly after: Buffer[];
} {
  const messages = corpus()
    .map(({ bytes }) => bytes())
    .filter(({ length }) => length < 1_000_000);
  return { before: messages.slice(0, 10), cutting: selfCutting().bytes(), after: messages.slice(10, 20) };
}
