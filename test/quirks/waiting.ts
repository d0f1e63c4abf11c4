import { expect } from 'vitest';
import { letter } from '../fetch/world.ts';
import { mail } from '../servers/scripted.ts';
import { answers, type Group, hangsUp, once } from './quirk.ts';

export const WAITING: Group = {
  name: 'locks, rate limits, login delay',
  ids: 'K-01 K-02 K-03 K-04 K-06 K-07 K-08 K-09',
  tried: [
    {
      ids: ['K-01'],
      when: 'another session holds the mailbox',
      world: {
        faults: [answers('PASS', '-ERR [IN-USE] Mailbox is locked by another POP3 session\r\n', once)],
      },
      outcome: { first: { error: { code: 'E_POP3_IN_USE', kind: 'later' } }, last: { outcome: 'done' } },
    },
    {
      ids: ['K-02', 'K-06'],
      when: 'the mailbox can be held by one session, and some of ours break',
      world: {
        behaviour: { exclusive: true },
        faults: [
          hangsUp('RETR', { uidl: 'c', ...once }),
          answers('UIDL', 'rubbish\r\n', { args: '', ...once }),
        ],
      },
      runs: 3,
      outcome: {
        last: { outcome: 'done' },
        check: (world) => {
          expect(world.server.mailboxes.get(world.server.user)?.openSessions).toBe(0);
        },
      },
    },
    {
      ids: ['K-03'],
      when: 'a quota is told in place of the listing',
      world: {
        faults: [
          answers('LIST', '-ERR Exceeded the login limit for a 15 minute period\r\n', { args: '', ...once }),
        ],
      },
      outcome: {
        first: { outcome: 'failed', error: { code: 'E_POP3_THROTTLED', kind: 'later' } },
        last: { outcome: 'done' },
      },
    },
    {
      ids: ['K-06'],
      when: 'all is well: one connection and one sign-in a run, ended by QUIT',
      world: { behaviour: { exclusive: true } },
      runs: 3,
      outcome: {
        check: ({ server: { log } }) => {
          expect(log.connections).toBe(3);
          expect(log.sessions.every(({ quit }) => quit)).toBe(true);
        },
      },
    },
  ],
  shown: [
    {
      ids: ['K-04'],
      by: [
        {
          file: 'test/fetch/tryLater.test.ts',
          title: 'keeps to LOGIN-DELAY though all goes well, and a run by hand does not',
        },
      ],
    },
    { ids: ['K-07'], by: [{ file: 'test/crash/overlap.test.ts', title: 'describe.each' }] },
    {
      ids: ['K-08'],
      by: [
        {
          file: 'test/fetch/tryLater.test.ts',
          title: 'is told once that a mailbox fails, however long, and once that it works again',
        },
      ],
    },
    {
      ids: ['K-09'],
      by: [
        {
          file: 'test/bin/fetch.test.ts',
          title: 'opens no more connections to one host at once than the settings say',
        },
      ],
    },
  ],
  left: [],
};

const FROM_ME = 'From: Me <me@example.org>\r\nTo: You <you@example.org>\r\n';

export const PROVIDERS: Group = {
  name: 'providers',
  ids: 'P-01 P-02 P-04 P-05 P-06 P-07 P-08 P-09 P-10 P-11 P-12 P-13 P-15',
  tried: [
    {
      ids: ['P-01'],
      when: 'each session lists the next few messages and no others',
      world: {},
      runs: 4,
      between: ({ server: { messages } }, run) => {
        messages.splice(
          0,
          messages.length,
          ...['x', 'y', 'z'].map((name) => mail(`${name}${run}`, letter(`${name}${run}`))),
        );
      },
      outcome: { stored: 14, left: 3, retrieved: 14 },
    },
    {
      ids: ['P-05'],
      when: 'mail that the mailbox sent itself is listed: the event says from whom it is',
      world: { messages: [mail('own', `${FROM_ME}${letter('own')}`)] },
      outcome: {
        check: (world) => {
          expect(world.publisher.stored[0]?.headers).toMatchObject({
            from: [{ address: 'me@example.org' }],
            to: [{ address: 'you@example.org' }],
          });
        },
      },
    },
  ],
  shown: [
    {
      ids: ['P-02'],
      by: [
        {
          file: 'test/fetch/suspects.test.ts',
          title: 'is dropped without QUIT, so that a server which hides at QUIT offers the message again',
        },
      ],
    },
    {
      ids: ['P-06', 'P-09', 'P-10'],
      by: [{ file: 'test/pop3/refusals.test.ts', title: 'wants a person: $code' }],
    },
  ],
  left: [
    { ids: ['P-08'], because: 'which mail the provider shows as read cannot be seen or chosen over POP3' },
  ],
};
