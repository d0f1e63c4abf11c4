import { SecretError, type Secrets, type Tokens } from './port.ts';

/** Access tokens that somebody else keeps fresh, `{ from: REFERENCE }`; every other source is refused. */
export function tokensByReference(secrets: Secrets): Tokens {
  return {
    async read(source, fresh) {
      if ('from' in source) return secrets.read(source.from, fresh);
      const form = 'grant' in source ? `grant: ${source.grant}` : 'command';
      throw new SecretError(
        `signIn.token: ${form} gives no tokens here. Have somebody keep a token fresh, and write { from: REFERENCE }.`,
        { kind: 'person', code: 'E_TOKEN_SOURCE', reference: form },
      );
    },
  };
}
