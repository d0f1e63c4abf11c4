/** AUTH as POP3 has it (RFC 5034): lines of base64, which the mechanism knows nothing of. */
import type { Answer } from './explain.ts';
import type { Mechanism } from './sasl/mechanism.ts';

/** RFC 5034 section 4: a longer command line waits for the server's go-ahead with what it has to say first. */
const COMMAND_BYTES = 255;

export interface SaslExchange {
  /** Behind AUTH. */
  readonly args: readonly string[];
  answer(challenge: string): Promise<Answer>;
  /** As the mechanism's, of which a +OK must at least have heard. */
  doubt(success: string): string | null;
}

/** `initial`: what the mechanism says first rides on the command; else it waits for the server's empty challenge. */
export function saslExchange(mechanism: Mechanism, initial: boolean): SaslExchange {
  const { name, first } = mechanism;
  const rides = initial && first !== null && fits(name, first);
  let challenges = 0;
  return {
    args: rides ? [name, first.length === 0 ? '=' : first.toString('base64')] : [name],
    async answer(challenge: string): Promise<Answer> {
      challenges += 1;
      // QUIRK: servers of before RFC 5034 read nothing that rides on AUTH, and ask for it by an empty challenge.
      if (challenges === 1 && first !== null && (!rides || challenge.trim() === ''))
        return { line: first.toString('base64') };
      const bytes = Buffer.from(challenge, 'base64');
      const isBase64 = unpadded(bytes.toString('base64')) === unpadded(challenge.trim());
      if (!isBase64 && mechanism.takesPlainWords !== true)
        return { complaint: 'the server sent a challenge that is no base64' };
      const step = await mechanism.answer(isBase64 ? bytes : Buffer.from(challenge, 'latin1'));
      return 'say' in step ? { line: step.say.toString('base64') } : step;
    },
    doubt(success: string) {
      const isTold = rides || challenges > 0;
      return isTold ? mechanism.doubt(success) : 'the server said +OK before it was told who signs in';
    },
  };
}

function fits(name: string, first: Buffer): boolean {
  return `AUTH ${name} ${first.toString('base64')}\r\n`.length <= COMMAND_BYTES;
}

function unpadded(base64: string): string {
  return base64.replace(/=+$/, '');
}
