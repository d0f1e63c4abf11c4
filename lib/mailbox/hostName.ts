/** Why a text is no host: a name or an address, and nothing of what people copy along with it. */
import { z } from 'zod';

/** RFC 1035 section 2.3.4, written out. */
const LONGEST = 253;

/** Underscores stand in names of real machines, whatever RFC 1123 section 2.1 says. */
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

const WRONG = 'must be a host name or an address';

/** Null: it can be one. */
export function hostProblem(text: string): string | null {
  if (text.length > LONGEST) return `must have at most ${LONGEST} characters`;
  if (text.includes('://'))
    return 'must be the host name alone, such as pop.example.org, without "://" and what is before it';
  if (/^\[.*\](:\d+)?$/.test(text))
    return 'must be an IPv6 address without brackets; a port is set by "port"';
  if (/^[^:]+:\d+$/.test(text)) return 'must be the host name alone: set the port by "port"';
  if (text.includes(':')) return z.ipv6().safeParse(text).success ? null : WRONG;
  if (/[^\p{ASCII}]/u.test(text))
    return `${WRONG} in ASCII letters: of other letters, the form that begins with "xn--"`;
  // With its dot at the end a name is looked up as it is, and not in the machine's own domain.
  return text
    .replace(/\.$/, '')
    .split('.')
    .every((label) => LABEL.test(label))
    ? null
    : WRONG;
}
