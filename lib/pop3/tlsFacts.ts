/** What a TLS socket says of itself: of the certificate, the key, and what a sign-in can be bound to. */
import { hash, type X509Certificate } from 'node:crypto';
import { escapeBytes } from './escape.ts';
import type { ChannelBinding } from './sasl/scram.ts';
import type { TlsFacts } from './transport.ts';

/** Of node:tls's TLSSocket, which dial.ts alone may import. */
export interface Secured {
  getProtocol(): string | null;
  getCipher(): { readonly name: string };
  getPeerX509Certificate(): X509Certificate | undefined;
  exportKeyingMaterial(length: number, label: string, context: Buffer): Buffer;
}

/** Null where the handshake left no certificate, or spoke a version that is not asked for. */
export function tlsFacts(socket: Secured): TlsFacts | null {
  const certificate = socket.getPeerX509Certificate();
  const protocol = socket.getProtocol();
  if (certificate === undefined || (protocol !== 'TLSv1.2' && protocol !== 'TLSv1.3')) return null;
  // Asked for now: a line that has ended gives none any more.
  const binding = protocol === 'TLSv1.3' ? exported(socket) : endPoint(certificate);
  return {
    protocol,
    cipher: socket.getCipher().name,
    names: (certificate.subjectAltName ?? '').split(', ').filter(Boolean).map(shown),
    issuer: shown(certificate.issuer),
    subject: shown(certificate.subject),
    validFromMs: certificate.validFromDate.getTime(),
    validToMs: certificate.validToDate.getTime(),
    keyHash: keyHash(certificate),
    binding: () => binding,
  };
}

/** "sha256:" and the base64 of the SHA-256 of the SubjectPublicKeyInfo (RFC 7469 section 2.4 pins the same). */
export function keyHash({ publicKey }: X509Certificate): string {
  return `sha256:${hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'base64')}`;
}

/** By signature algorithm (RFC 3279, 4055, 5758); MD5 and SHA-1 count as SHA-256. */
const END_POINT_HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'sha256',
  '1.2.840.113549.1.1.5': 'sha256',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.113549.1.1.14': 'sha224',
  '1.2.840.10045.4.1': 'sha256',
  '1.2.840.10045.4.3.1': 'sha224',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};

/** RFC 9266: of this one session, whatever certificate it has. */
function exported(socket: Secured): ChannelBinding {
  const data = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  return { type: 'tls-exporter', data };
}

/**
 * RFC 5929 section 4: of the certificate, by the hash of its signature. Signatures that have none (Ed25519), or another in
 * each certificate (RSA-PSS), leave it undefined.
 */
function endPoint({ signatureAlgorithmOid, raw }: X509Certificate): ChannelBinding | null {
  const digest = END_POINT_HASHES[signatureAlgorithmOid];
  return digest === undefined ? null : { type: 'tls-server-end-point', data: hash(digest, raw, 'buffer') };
}

function shown(text: string): string {
  return escapeBytes(Buffer.from(text.replaceAll('\n', ', ')));
}
