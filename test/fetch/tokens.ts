/** Access tokens as providers make them, signed by nobody. */
import { randomBytes } from 'node:crypto';

export function jwt(claims: object, header: object = { alg: 'RS256', typ: 'JWT' }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${randomBytes(32).toString('base64url')}`;
}

export const EXCHANGE = 'https://outlook.office365.com';

/** Good for an hour. */
export const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;
