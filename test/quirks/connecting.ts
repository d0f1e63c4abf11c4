import { expect } from 'vitest';
import { answers, commandsOf, DELETES, type Group, hangsUp, once, type Tried } from './quirk.ts';

const silent = (verb: string): Tried => ({
  ids: ['C-03'],
  when: `the server falls silent for ever at ${verb}`,
  world: { settings: DELETES, faults: [{ verb, cutAt: verb === 'RETR' ? 30 : 2, ending: 'stall', ...once }] },
  hurried: true,
  runs: 3,
  outcome: {},
});

export const CONNECTING: Group = {
  name: 'connect and TLS',
  ids: 'C-01 C-02 C-03 C-04 C-05 C-06 C-07 C-08 C-10 C-12',
  tried: [
    {
      ids: ['C-02', 'R-11'],
      when: 'the line ends in the middle of a body, in order or not',
      world: {
        settings: DELETES,
        faults: (['fin', 'fin without close_notify', 'rst'] as const).map((ending, at) => ({
          ...{ verb: 'RETR', uidl: 'bcd'[at] ?? '', cutAt: 70, ending, ...once },
        })),
      },
      runs: 4,
      outcome: {},
    },
    ...['GREETING', 'USER', 'PASS', 'UIDL', 'LIST', 'RETR', 'DELE', 'QUIT'].map(silent),
    {
      ids: ['C-06'],
      when: 'CAPA says other things before and after the sign-in',
      world: {
        faults: [answers('CAPA', '+OK\r\nSASL LOGIN\r\nUIDL\r\nPIPELINING\r\n.\r\n', once)],
        behaviour: { capabilities: ['TOP'] },
      },
      runs: 1,
      outcome: {
        check: (world) => {
          expect(commandsOf(world).filter((line) => line === 'CAPA')).toHaveLength(2);
        },
      },
    },
    {
      ids: ['C-12', 'A-12'],
      when: 'the greeting takes half a minute, and the answer to PASS a minute and a half',
      world: {
        faults: [
          { verb: 'GREETING', delayMs: 50 },
          { verb: 'PASS', delayMs: 150, ...once },
        ],
      },
      hurried: true,
      outcome: { first: { outcome: 'done' } },
    },
    {
      ids: ['P-15'],
      when: 'a client that is new is hung up on at its first command',
      world: { faults: [hangsUp('USER', once)] },
      outcome: { first: { outcome: 'failed', error: { phase: 'sign-in', kind: 'later' } } },
    },
  ],
  shown: [
    {
      ids: ['C-01'],
      by: [
        {
          file: 'test/pop3/dial.test.ts',
          title: 'is named with each address and its errno, and tried again later',
        },
      ],
    },
    {
      ids: ['C-07'],
      by: [{ file: 'test/pop3/dial.test.ts', title: 'a name goes out as SNI, an address does not' }],
    },
    {
      ids: ['C-08'],
      by: [
        {
          file: 'test/pop3/certificates.test.ts',
          title: 'over %s a server is trusted by its certificate alone',
        },
      ],
    },
    {
      ids: ['C-10'],
      by: [
        { file: 'test/quirks/sockets.test.ts', title: 'sends on, or resets, after both sides have ended' },
      ],
    },
    {
      ids: ['C-04'],
      by: [{ file: 'test/pop3/stls.test.ts', title: 'no STLS, no session (T1, C-04)' }],
    },
    {
      ids: ['C-05'],
      by: [
        {
          file: 'test/pop3/stls.test.ts',
          title: 'a byte between the answer to STLS and the handshake ends the session (T2, C-05)',
        },
      ],
    },
  ],
  left: [],
};
