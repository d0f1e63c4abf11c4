/** What to do where the line itself does not come about: the wrong port, TLS and the clear taken for each other, a chain that ends nowhere. */
import { otherProtocol } from '../pop3/otherProtocols.ts';
import type { Remedy, SignInFacts } from './remedies.ts';

const RFC_TLS = 'https://www.rfc-editor.org/rfc/rfc8314';
const RFC_CHAIN = 'https://www.rfc-editor.org/rfc/rfc8446#section-4.4.2';
const IANA_PORTS = 'https://www.iana.org/assignments/service-names-port-numbers';

const inClear = ({ mailbox }: SignInFacts) => mailbox.tls !== 'implicit';

const SILENT: ReadonlySet<string> = new Set([
  'E_POP3_TIMEOUT',
  'E_POP3_DEADLINE',
  'E_POP3_EOF',
  'E_POP3_RESET',
  'E_POP3_NOT_POP3',
  'E_POP3_LINE_TOO_LONG',
]);

/** Nothing came in the time that there was. */
export const UNHEARD: ReadonlySet<string> = new Set(['E_POP3_TIMEOUT', 'E_POP3_DEADLINE']);

/** What settings of mail programs have beside that of POP3. */
const PORTS_OF_OTHERS: Readonly<Record<number, string>> = {
  ...{ 25: 'SMTP', 465: 'SMTP', 587: 'SMTP', 2525: 'SMTP' },
  ...{ 143: 'IMAP', 993: 'IMAP', 4190: 'ManageSieve' },
  ...{ 22: 'SSH', 80: 'HTTP', 443: 'HTTP' },
};

const POP3_PORTS = 'POP3 is nearly everywhere at port 995 ("tls: implicit"), or at 110 with "tls: stls".';

/** On which TLS and the clear are taken for each other. */
export const CONNECTING: readonly Remedy[] = [
  {
    id: 'another-protocol',
    applies: ({ code }) => code === 'E_POP3_OTHER_PROTOCOL',
    next: ({ told, mailbox: { port } }) =>
      `That is how a server of ${otherProtocol(told)} greets, at port ${port}: correct "port" or "host". ${POP3_PORTS}`,
    source: IANA_PORTS,
  },
  {
    id: 'port-of-another',
    applies: ({ code, step, mailbox: { port } }) =>
      Object.hasOwn(PORTS_OF_OTHERS, port) &&
      ((step === 'tls' && code === 'E_POP3_NOT_TLS') || (step === 'greeting' && SILENT.has(code))),
    next: ({ mailbox: { port } }) =>
      `Port ${port} is that of ${PORTS_OF_OTHERS[port]}: correct "port". ${POP3_PORTS}`,
    source: IANA_PORTS,
  },
  {
    id: 'clear-on-995',
    applies: ({ code, step, mailbox }) =>
      code === 'E_POP3_NOT_TLS' && step === 'tls' && mailbox.tls === 'implicit' && mailbox.port !== 110,
    next: ({ mailbox: { port } }) =>
      `Port ${port} answered in the clear: set "tls: stls" and "port: 110", or the port on which this server speaks TLS from the first byte (995 nearly everywhere).`,
    source: RFC_TLS,
  },
  {
    id: 'implicit-on-110',
    applies: ({ code, mailbox }) =>
      code === 'E_POP3_NOT_TLS' && mailbox.tls === 'implicit' && mailbox.port === 110,
    next: () =>
      'Port 110 begins in the clear: set "tls: stls" for it, or "port: 995" for TLS from the first byte.',
    source: RFC_TLS,
  },
  {
    id: 'tls-on-995',
    applies: (facts) =>
      facts.step === 'greeting' && inClear(facts) && SILENT.has(facts.code) && facts.mailbox.port === 995,
    next: () => 'Port 995 waits for TLS from the first byte: set "tls: implicit".',
    source: RFC_TLS,
  },
  {
    id: 'silent-in-clear',
    applies: (facts) => facts.step === 'greeting' && inClear(facts) && UNHEARD.has(facts.code),
    next: ({ mailbox: { port } }) =>
      `Nothing came in the clear on port ${port}. If it is a port for TLS from the first byte, set "tls: implicit".`,
    source: RFC_TLS,
  },
  {
    id: 'intermediate-missing',
    applies: ({ code, chain }) => code === 'E_POP3_TLS_UNKNOWN_CA' && chain.length === 1,
    next: ({ chain: [leaf] }) =>
      `The server sent its own certificate alone, and who issued it (${leaf?.issuer}) is not among those that are trusted here. Whoever runs the server must have it send the whole chain${leaf?.issuerAt ? ` (the missing one is at ${leaf.issuerAt})` : ''}; if that issuer is an authority of your own, name its certificate with "ca".`,
    source: RFC_CHAIN,
  },
  {
    id: 'authority-unknown',
    applies: ({ code, chain }) => code === 'E_POP3_TLS_UNKNOWN_CA' && chain.length > 1,
    next: ({ chain }) =>
      `The chain is there, and ends at an authority that is not trusted here (${chain.at(-1)?.issuer}). If it is your own, name its certificate with "ca".`,
    source: RFC_CHAIN,
  },
];
