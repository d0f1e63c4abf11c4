import { type Mechanism, type Step, unexpected } from './mechanism.ts';

/**
 * draft-murchison-sasl-login: user name, then password. QUIRK: what the challenges say differs from server to server
 * ("Username:", "User Name\0", nothing), so only their order counts.
 */
export function login(user: string, password: string): Mechanism {
  const left = [user, password];
  return {
    name: 'LOGIN',
    complaint: null,
    first: null,
    takesPlainWords: true,
    answer(): Step {
      const next = left.shift();
      return next === undefined ? unexpected() : { say: Buffer.from(next) };
    },
    doubt: () => (left.length === 0 ? null : 'the server said +OK before it had asked for the password'),
  };
}
