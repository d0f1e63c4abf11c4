import type { Parts } from './deployment.ts';

const NEEDED = { ministack: 'MAILFERRY_MINISTACK', osls: 'MAILFERRY_OSLS', dovecot: 'MAILFERRY_DOVECOT' };

/** What a deployment needs, or in words what is lacking. */
export function partsOf(env: NodeJS.ProcessEnv): Parts | string {
  const missing = Object.values(NEEDED).filter((variable) => !env[variable]);
  if (missing.length > 0) return `skipped: ${missing.join(', ')} not set`;
  const path = (name: keyof typeof NEEDED) => env[NEEDED[name]] ?? '';
  return { ministack: path('ministack'), osls: path('osls'), dovecot: path('dovecot') };
}
