/** What a server showed of itself in a TLS handshake, whether or not it is to be believed. */
import { X509Certificate } from 'node:crypto';
import { escapeBytes } from './escape.ts';
import type { Certificate, Handshake } from './observe.ts';
import { keyHash } from './tlsFacts.ts';

/** No chain that anybody verifies is longer; one that goes in a circle would have no end. */
const MOST_CERTIFICATES = 10;

/** Certificates for hundreds of names exist; a person needs some of them. */
const MOST_NAMES = 50;

/** Of a TLSSocket. */
interface Handshaken {
  getProtocol(): string | null;
  getCipher(): { readonly standardName: string };
  getPeerCertificate(detailed: true): Presented;
}

/** Empty where there is none; the last of a chain is its own issuer. */
interface Presented {
  readonly raw?: Buffer;
  readonly issuerCertificate?: Presented;
}

/**
 * To be asked between the handshake and its judgement: a socket that was refused has forgotten everything. QUIRK: in Node 24
 * getPeerX509Certificate takes the certificate away, and the name would then be looked for in nothing.
 */
export function presentedOn(socket: Handshaken): Handshake {
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    chain: chainFrom(socket.getPeerCertificate(true)),
  };
}

function chainFrom(leaf: Presented): readonly Certificate[] {
  const chain: Certificate[] = [];
  let next: Presented | undefined = leaf;
  while (next?.raw !== undefined && chain.length < MOST_CERTIFICATES) {
    const at: Presented = next;
    chain.push(certificateOf(new X509Certificate(next.raw)));
    next = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return chain;
}

function certificateOf(given: X509Certificate): Certificate {
  const names = given.subjectAltName?.split(', ') ?? [];
  return {
    subject: nameOf(given.subject),
    issuer: nameOf(given.issuer),
    names: names.slice(0, MOST_NAMES).map(shown),
    validFromMs: Date.parse(given.validFrom),
    validToMs: Date.parse(given.validTo),
    keyHash: keyHashOf(given),
    issuerAt: issuerAt(given.infoAccess),
  };
}

function keyHashOf(given: X509Certificate): string {
  try {
    return keyHash(given);
  } catch {
    // A key of a kind that OpenSSL does not know; a chain may have any.
    return 'unknown';
  }
}

/** A distinguished name in one line, as people write it. */
function nameOf(name: string): string {
  return shown(name.split('\n').join(', '));
}

/** RFC 5280 section 4.2.2.1: where a client that was not sent the issuer's certificate may find it. */
function issuerAt(access: string | undefined): string | null {
  const found = /^CA Issuers - URI:(\S+)/m.exec(access ?? '')?.[1];
  return found === undefined ? null : shown(found);
}

function shown(text: string): string {
  return escapeBytes(Buffer.from(text, 'utf8'));
}
