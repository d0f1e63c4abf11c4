import { SecretError } from './port.ts';

export type Scheme = 'env' | 'file' | 'secretsmanager';

export const FORMS = 'env:NAME, file:PATH or secretsmanager:ID#KEY';

/** What `reference` names, without its scheme. Rejects another scheme, and an empty rest. */
export function targetOf(reference: string, scheme: Scheme): string {
  const target = reference.startsWith(`${scheme}:`) ? reference.slice(scheme.length + 1) : '';
  if (target.trim() === '') throw notAReference();
  return target;
}

/**
 * What stands where a reference should be may be the secret itself, put there by mistake: it is shown neither
 * in the message nor as the error's `reference`.
 */
export function notAReference(): SecretError {
  return new SecretError(
    `A secret is given as something that is not a reference this adapter reads. Write ${FORMS}, never the secret itself.`,
    { kind: 'person', code: 'E_SECRET_REFERENCE', reference: '(not shown)' },
  );
}
