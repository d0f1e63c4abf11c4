/**
 * A POP3 server in a process of its own, so that neither its memory nor its work counts as anybody else's. Its
 * arguments: octets of a message, and how many such messages, each made while it is sent. Its first line of output
 * is JSON: where it listens, whom it lets in, and the SHA-256 of each message.
 */
import { createHash } from 'node:crypto';
import { generatedMail, startScripted } from '../servers/scripted.ts';

export interface Serving {
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  readonly checksums: readonly string[];
}

const [octets, count] = process.argv.slice(2).map(Number);
const messages = Array.from({ length: count ?? 1 }, (_, index) =>
  generatedMail(`large-${index}`, octets ?? 0),
);
const checksums = messages.map((message) => {
  const hash = createHash('sha256');
  for (const chunk of message.chunks()) hash.update(chunk);
  return hash.digest('hex');
});
const { port, ca, user, password } = await startScripted({ messages });
const serving: Serving = { port, ca, user, password, checksums };
console.log(JSON.stringify(serving));
