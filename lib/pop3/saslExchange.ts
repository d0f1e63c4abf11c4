/** AUTH as POP3 has it (RFC 5034): lines of base64, which the mechanism knows nothing of. */
import type { Answer } from './explain.ts';
import type { Mechanism } from './sasl/mechanism.ts';

/** RFC 5034 section 4: a longer command line waits for the server's go-ahead with what it has to say first. */
const COMMAND_BYTES = 255;

export interface SaslExchange {
  /** Behind AUTH. */
  readonly args: readonly string[];
  answer(challenge: string): Promise<Answer>;
}

/** `initial`: what the mechanism says first rides on the command; else it waits for the server's empty challenge. */
export function saslExchange(mechanism: Mechanism, initial: boolean): SaslExchange {
  const { name, first } = mechanism;
  const rides = initial && first !== null && fits(name, first);
  let isFirstOwed = !rides;
  return {
    args: rides ? [name, first.length === 0 ? '=' : first.toString('base64')] : [name],
    async answer(challenge: string): Promise<Answer> {
      if (isFirstOwed && first !== null) {
        isFirstOwed = false;
        return { line: first.toString('base64') };
      }
      const bytes = Buffer.from(challenge, 'base64');
      if (unpadded(bytes.toString('base64')) !== unpadded(challenge.trim()))
        return { complaint: 'the server sent a challenge that is no base64' };
      const step = await mechanism.answer(bytes);
      return 'say' in step ? { line: step.say.toString('base64') } : step;
    },
  };
}

function fits(name: string, first: Buffer): boolean {
  return `AUTH ${name} ${first.toString('base64')}\r\n`.length <= COMMAND_BYTES;
}

function unpadded(base64: string): string {
  return base64.replace(/=+$/, '');
}
