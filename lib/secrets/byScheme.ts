import { SecretError, type Secrets } from './port.ts';
import { notAReference, type Scheme } from './references.ts';

/** One Secrets over several: each reference goes to the adapter of its scheme. */
export function secretsByScheme(schemes: Readonly<Partial<Record<Scheme, Secrets>>>): Secrets {
  return {
    async read(reference, fresh) {
      const scheme = /^(env|file|secretsmanager):/.exec(reference)?.[1] as Scheme | undefined;
      if (!scheme) throw notAReference();
      const secrets = schemes[scheme];
      if (secrets) return secrets.read(reference, fresh);
      const available = Object.keys(schemes).map((name) => `${name}:`);
      throw new SecretError(
        `${reference}: ${scheme}: references cannot be read here. Use one of ${available.join(', ') || 'none'}.`,
        { kind: 'person', code: 'E_SECRET_SCHEME', reference },
      );
    },
  };
}
