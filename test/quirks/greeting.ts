import { answers, DELETES, five, type Group, hangsUp, once } from './quirk.ts';

function* endless(): Iterable<Buffer> {
  yield Buffer.from('+OK ');
  for (;;) yield Buffer.alloc(1024, 'x');
}

const withoutCapa = {
  first: { outcome: 'done' },
  says: /CAPA was asked, so that is not asked for a day/,
} as const;

export const GREETING: Group = {
  name: 'greeting, CAPA and status lines',
  ids: 'G-01 G-02 G-03 G-06 G-07 G-08 G-09 G-11',
  tried: [
    {
      ids: ['G-01', 'G-08'],
      when: 'the greeting has angle brackets that are no stamp',
      world: { faults: [answers('GREETING', '+OK X POP3 server ready <a.b.c>\r\n')] },
      outcome: { never: /^(APOP|AUTH)/ },
    },
    {
      ids: ['G-02'],
      when: 'CAPA ends the connection',
      world: { faults: [hangsUp('CAPA')] },
      outcome: withoutCapa,
    },
    {
      ids: ['G-02'],
      when: 'CAPA is never answered',
      world: { faults: [{ verb: 'CAPA', cutAt: 0, ending: 'stall' }] },
      hurried: true,
      outcome: withoutCapa,
    },
    {
      ids: ['G-02'],
      when: 'there is no CAPA',
      world: { behaviour: { capabilities: null }, settings: DELETES },
      outcome: {},
    },
    {
      ids: ['G-03', 'P-12'],
      when: 'CAPA does not tell of UIDL and TOP, which work',
      world: { behaviour: { capabilities: ['USER', 'SASL'], deletes: 'ignored' }, settings: DELETES },
      runs: 3,
      outcome: { left: 5, retrieved: 5 },
    },
    {
      ids: ['G-06', 'P-13'],
      when: 'a bare +OK is all that the server says',
      world: {
        settings: DELETES,
        faults: ['GREETING', 'USER', 'PASS', 'DELE', 'QUIT'].map((verb) => answers(verb, '+OK\r\n')),
      },
      outcome: {},
    },
    {
      ids: ['G-07', 'D-06', 'P-07'],
      when: 'the DELE of one message is answered by an empty line, each time',
      world: { settings: DELETES, faults: [answers('DELE', '\r\n', { uidl: 'c' })] },
      runs: 8,
      outcome: { left: 1, last: { counts: { listed: 1, setAside: 1 } } },
    },
    {
      ids: ['G-09', 'K-04', 'D-12'],
      when: 'CAPA has names that nobody knows, and values',
      world: {
        behaviour: {
          capabilities: [
            'EXPIRE 0',
            'LOGIN-DELAY 300',
            'X-GOOGLE-RICO',
            'SASL PLAIN XOAUTH2',
            'IMPLEMENTATION jpop-0.1',
            '',
            'UIDL',
          ],
        },
      },
      outcome: { first: { outcome: 'done' } },
    },
    {
      ids: ['G-11'],
      when: 'a status line never ends',
      world: { messages: five(), faults: [{ verb: 'UIDL', reply: endless, ...once }] },
      outcome: { first: { outcome: 'failed', error: { code: 'E_POP3_LINE_TOO_LONG' } } },
    },
  ],
  shown: [],
  left: [],
};
