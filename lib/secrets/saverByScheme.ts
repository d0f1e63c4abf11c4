import { SecretError, type SecretSaver } from './port.ts';
import { notAReference, type Scheme } from './references.ts';

/** One SecretSaver over several. Nothing can be put into an environment that outlives the process. */
export function saverByScheme(schemes: Readonly<Partial<Record<Scheme, SecretSaver>>>): SecretSaver {
  const saverOf = (reference: string): SecretSaver => {
    const scheme = /^(env|file|secretsmanager):/.exec(reference)?.[1] as Scheme | undefined;
    if (!scheme) throw notAReference();
    const saver = schemes[scheme];
    if (saver) return saver;
    const others = Object.keys(schemes).map((name) => `${name}:`);
    throw new SecretError(
      `${reference}: nothing can be saved there, and refresh tokens are exchanged at each use. Put it into ${others.join(' or ') || 'another place'}.`,
      { kind: 'person', code: 'E_SECRET_SCHEME', reference },
    );
  };
  return {
    prove: async (reference) => saverOf(reference).prove(reference),
    save: async (reference, secret, instead) => saverOf(reference).save(reference, secret, instead),
  };
}
