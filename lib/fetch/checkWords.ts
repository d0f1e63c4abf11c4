/** What a check found, in words. */
import type { Capabilities } from '../pop3/capabilities.ts';
import type { Certificate, Handshake, KnownAddress } from '../pop3/observe.ts';
import type { Listing } from './listing.ts';
import { type TokenFacts, tokenWords } from './tokenFacts.ts';

const DAY_MS = 86_400_000;

/** What a run is quicker or surer with; a server may have it without saying so (RFC 2449 section 5). */
const WORTH_HAVING = ['UIDL', 'TOP', 'PIPELINING'];

export function addressesInWords(addresses: readonly KnownAddress[]): string {
  return addresses.map(({ address, what }) => `${address} (${what})`).join(', ');
}

export function handshakeInWords({ protocol, cipher }: Handshake): string {
  return `${protocol}, ${cipher}`;
}

/** A line for each certificate, the server's own first. */
export function chainInWords(chain: readonly Certificate[], nowMs: number): readonly string[] {
  return chain.map((each, at) => {
    const { subject, issuer, names, keyHash } = each;
    const of = names.length === 0 ? '' : ` for ${names.join(', ')}`;
    const key = at === 0 ? `; key ${keyHash}` : '';
    const signer = subject === issuer ? 'by itself' : `by ${issuer}`;
    return `${subject || '(no subject)'}${of}, issued ${signer}; ${validity(each, nowMs)}${key}`;
  });
}

function validity({ validFromMs, validToMs }: Certificate, nowMs: number): string {
  const span = `${day(validFromMs)} to ${day(validToMs)}`;
  if (nowMs < validFromMs) return `${span}, not valid yet`;
  if (nowMs > validToMs) return `${span}, expired ${days(nowMs - validToMs)} ago`;
  return `${span}, ${days(validToMs - nowMs)} left`;
}

function day(ms: number): string {
  return Number.isNaN(ms) ? 'unknown' : new Date(ms).toISOString().slice(0, 10);
}

function days(ms: number): string {
  const count = Math.floor(ms / DAY_MS);
  return count === 1 ? '1 day' : `${count} days`;
}

export function capabilitiesInWords({ announced, lines, has }: Capabilities): string {
  if (!announced) return 'the server does not know CAPA';
  const silent = WORTH_HAVING.filter((name) => !has(name));
  return `${lines.join(', ')}${silent.length === 0 ? '' : `; not announced: ${silent.join(', ')}`}`;
}

export function capabilityFacts({ announced, lines, has, ...rest }: Capabilities) {
  const { loginDelaySeconds, expire, pipelining, mechanisms } = rest;
  return {
    ...{ announced, lines, sasl: mechanisms ?? [], stls: has('STLS'), pipelining },
    ...{ uidl: has('UIDL'), top: has('TOP'), user: has('USER'), loginDelaySeconds, expire },
  };
}

export interface Listed {
  readonly messages: number;
  /** Of the sizes that are numbers. */
  readonly octets: number;
  readonly withoutSize: number;
}

export function listed(listing: Listing): Listed {
  let octets = 0;
  let withoutSize = 0;
  for (const row of listing.rows()) {
    octets += row.octets ?? 0;
    withoutSize += row.octets === null ? 1 : 0;
  }
  return { messages: listing.length, octets, withoutSize };
}

export function listedInWords({ messages, octets, withoutSize }: Listed): string {
  const more = withoutSize === 0 ? '' : `, and ${withoutSize} without a size`;
  return `${messages} messages, ${octets} octets${more}`;
}

export function tokenInWords(facts: TokenFacts, nowMs: number): string {
  if (facts.form === 'opaque') return 'an opaque token: only who issued it can read it';
  const told = Object.entries(tokenWords(facts)).map(
    ([name, text]) => `${name.slice('token'.length).toLowerCase() || 'token'} ${text}`,
  );
  const over = facts.expiresMs !== null && facts.expiresMs <= nowMs ? ' (expired)' : '';
  return `${told.join('; ')}${over}`;
}
