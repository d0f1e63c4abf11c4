import { complaintAbout, type Mechanism, unexpected } from './mechanism.ts';

/** RFC 4616: the password itself. */
export function plain(user: string, password: string): Mechanism {
  return {
    name: 'PLAIN',
    complaint: complaintAbout([user, password], /\0/),
    first: Buffer.from(`\0${user}\0${password}`),
    answer: unexpected,
    doubt: () => null,
  };
}
