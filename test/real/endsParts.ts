/** The real parts as the suite's installer found them, and titles that say which one is missing. */

export const PARTS = {
  dovecot: process.env['MAILFERRY_DOVECOT'] ?? '',
  versitygw: process.env['MAILFERRY_VERSITYGW'] ?? '',
  /** Only `npm run proof -- stores` installs it. */
  rgw: process.env['MAILFERRY_RGW'] ?? '',
  ric: process.env['MAILFERRY_RIC'] ?? '',
  rie: process.env['MAILFERRY_RIE'] ?? '',
} as const;

export type Part = keyof typeof PARTS;

const VARIABLES: Readonly<Record<Part, string>> = {
  dovecot: 'MAILFERRY_DOVECOT',
  versitygw: 'MAILFERRY_VERSITYGW',
  rgw: 'MAILFERRY_RGW',
  ric: 'MAILFERRY_RIC',
  rie: 'MAILFERRY_RIE',
};

/** For `describe.skipIf(missing)(title, …)`. */
export function needing(title: string, ...parts: readonly Part[]): { missing: boolean; title: string } {
  const absent = parts.filter((part) => PARTS[part] === '');
  if (absent.length === 0) return { missing: false, title };
  return {
    missing: true,
    title: `${title}, skipped: no ${absent.map((part) => VARIABLES[part]).join(', ')}`,
  };
}
