/**
 * A POP3 server in a process of its own, so that neither its memory nor its work counts as anybody else's: one
 * mailbox with one message of as many octets as the argument says, made while it is sent. Its first line of output
 * is JSON: where it listens, whom it lets in, and the message's SHA-256.
 */
import { createHash } from 'node:crypto';
import { generatedMail, startScripted } from '../servers/scripted.ts';

export interface Serving {
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  readonly sha256: string;
}

const message = generatedMail('large', Number(process.argv[2]));
const hash = createHash('sha256');
for (const chunk of message.chunks()) hash.update(chunk);
const { port, ca, user, password } = await startScripted({ messages: [message] });
const serving: Serving = { port, ca, user, password, sha256: hash.digest('hex') };
console.log(JSON.stringify(serving));
