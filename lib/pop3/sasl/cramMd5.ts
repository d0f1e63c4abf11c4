import { createHmac } from 'node:crypto';
import { type Mechanism, type Step, unexpected } from './mechanism.ts';

/** RFC 2195: the password keys a digest of the challenge. Who hears both can guess weak passwords at leisure. */
export function cramMd5(user: string, password: string): Mechanism {
  let isAnswered = false;
  return {
    name: 'CRAM-MD5',
    complaint: null,
    first: null,
    answer(challenge: Buffer): Step {
      if (isAnswered) return unexpected();
      isAnswered = true;
      // Its answer would be as good the next time, for whoever heard it.
      if (challenge.length === 0) return { complaint: 'the server sent nothing to make a digest of' };
      const digest = createHmac('md5', password).update(challenge).digest('hex');
      return { say: Buffer.from(`${user} ${digest}`) };
    },
    doubt: () => (isAnswered ? null : 'the server said +OK before it had sent a challenge'),
  };
}
