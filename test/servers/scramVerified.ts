import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** A server's side of SCRAM, written from RFC 5802: whether the proof is right, what it is bound to, and its own signature. */
export function scramVerified(
  { digest }: { readonly digest: 'sha1' | 'sha256' },
  password: string,
  said: { first: string; serverFirst: string; final: string },
) {
  const hmac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest();
  const [, s = '', i = ''] = said.serverFirst.split(',');
  const length = createHash(digest).digest().length;
  const salted = pbkdf2Sync(password, Buffer.from(s.slice(2), 'base64'), Number(i.slice(2)), length, digest);
  const stored = createHash(digest).update(hmac(salted, 'Client Key')).digest();
  const bare = said.first.replace(/^[^,]*,[^,]*,/, '');
  const [c = '', r = '', p = ''] = said.final.split(',');
  const message = `${bare},${said.serverFirst},${c},${r}`;
  const signature = hmac(stored, message);
  const key = Buffer.from(p.slice(2), 'base64').map((byte, at) => byte ^ (signature[at] ?? 0));
  return {
    isRight: createHash(digest).update(key).digest().equals(stored),
    channel: Buffer.from(c.slice(2), 'base64'),
    verifier: `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`,
  };
}
