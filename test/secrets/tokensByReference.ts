import type { Secrets, Tokens } from '../../lib/secrets/port.ts';

/** Tokens that stand where a reference says; no grant is asked for anything. */
export function tokensByReference(secrets: Secrets): Tokens {
  return {
    async read(source, fresh) {
      if ('from' in source) return secrets.read(source.from, fresh);
      throw new Error('Only references are read here.');
    },
  };
}
