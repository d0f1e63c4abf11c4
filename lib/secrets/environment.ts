import { Secret, SecretError, type Secrets } from './port.ts';
import { targetOf } from './references.ts';

/** Secrets in environment variables, `env:NAME`. `env` is looked at on each read, so `fresh` changes nothing. */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): Secrets {
  return {
    async read(reference) {
      const name = targetOf(reference, 'env');
      // Not a plain object's inherited members: env:constructor is not set.
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value) return new Secret(value);
      const found = value === undefined ? 'not set' : 'empty';
      throw new SecretError(
        `${reference}: the environment variable ${name} is ${found}. Set it and run again.`,
        {
          kind: 'person',
          code: value === undefined ? 'E_SECRET_MISSING' : 'E_SECRET_EMPTY',
          reference,
        },
      );
    },
  };
}
