import { type Mechanism, unexpected } from './mechanism.ts';

/** RFC 4422 appendix A: the client certificate of the TLS handshake says who it is; `user` only where it may act for another. */
export function external(user = ''): Mechanism {
  return {
    name: 'EXTERNAL',
    complaint: null,
    first: Buffer.from(user),
    answer: unexpected,
    doubt: () => null,
  };
}
