/** Certificate authorities as a mailbox's settings have them. Node passes over what it cannot read, and then trusts nobody. */
import { X509Certificate } from 'node:crypto';

const BEGINNING = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

/** Each from its beginning to the next one's, so that one that is cut short is still one. */
export function certificatesIn(pem: string): readonly string[] {
  return pem.split(/^(?=-----BEGIN )/m).filter((piece) => BEGINNING.test(piece));
}

export function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
