/** What servers may do that no list of ours had: thought of, played, and found to be borne badly. */
import { expect } from 'vitest';
import { answers, commandsOf, DELETES, type Group } from './quirk.ts';

const UIDLS = ['a', 'b', 'c', 'd', 'e'];

const rowsOf = (verb: string, row: (number: number, uidl: string) => string) =>
  answers(verb, `+OK\r\n${UIDLS.map((uidl, at) => `${row(at + 1, uidl)}\r\n`).join('')}.\r\n`, {
    args: '',
    session: 1,
  });

/** UIDL of a single message in a form of the server's own. */
const singly = (text: (number: number, uidl: string) => string) =>
  UIDLS.map((uidl) => {
    const number = UIDLS.indexOf(uidl) + 1;
    return answers('UIDL', `+OK ${text(number, uidl)}\r\n`, { args: String(number) });
  });

const withoutCapa = {
  first: { outcome: 'done', counts: { stored: 5 } },
  says: /CAPA was asked, so that is not asked for a day/,
} as const;

const CAPA_ANSWERS = [
  ['in words of another protocol', '500 command unrecognized\r\n', {}],
  ['by an empty line', '\r\n', {}],
  ['by two lines', '-ERR unknown command\r\n-ERR see help\r\n', {}],
  ['by -ERR and a dot', '-ERR unknown command\r\n.\r\n', {}],
  ['by -ERR and hanging up', '-ERR unknown command\r\n', { ending: 'fin' }],
] as const;

const SINGLE_FORMS = [
  ['cut short', (number: number) => `${number} long-`],
  ['in capitals', (number: number, uidl: string) => `${number} LONG-${uidl.toUpperCase()}`],
  ['with words behind', (number: number, uidl: string) => `${number} long-${uidl} is its id`],
] as const;

export const UNLISTED: Group = {
  name: 'beyond the list',
  ids: 'U-01 U-02 U-03 U-04 U-05 U-06 U-07',
  tried: [
    ...CAPA_ANSWERS.map(([how, reply, more]) => ({
      ids: ['U-01'],
      when: `CAPA is answered ${how}`,
      world: { faults: [answers('CAPA', reply, more)] },
      outcome: withoutCapa,
    })),
    {
      ids: ['U-02'],
      when: 'the numbers of a listing stand in a column',
      world: {
        settings: DELETES,
        faults: [
          rowsOf('UIDL', (number, uidl) => `   ${number} ${uidl}`),
          rowsOf('LIST', (number) => `   ${number} 54`),
        ],
      },
      outcome: { first: { counts: { listed: 5, stored: 5 } } },
    },
    {
      ids: ['U-03'],
      when: 'no row of a listing can be read',
      world: {
        faults: [
          rowsOf('UIDL', (number, uidl) => `message ${number}: ${uidl}`),
          rowsOf('LIST', (number) => `message ${number}: 54`),
        ],
      },
      runs: 1,
      outcome: { stored: 0, first: { outcome: 'failed' }, says: /none of them begins with the number/ },
    },
    {
      ids: ['U-04'],
      when: 'a blank ends each row of UIDL, and not what is said of one message',
      world: { settings: DELETES, faults: [rowsOf('UIDL', (number, uidl) => `${number} ${uidl} `)] },
      outcome: { never: /^LIST \d/, first: { counts: { stored: 5 } } },
    },
    ...SINGLE_FORMS.map(([how, text]) => ({
      ids: ['U-05'],
      when: `UIDL of one message has its id ${how}: another question vouches for the mail`,
      world: {
        settings: DELETES,
        faults: [rowsOf('UIDL', (number, uidl) => `${number} long-${uidl}`), ...singly(text)],
      },
      runs: 1,
      outcome: {
        first: { outcome: 'done' },
        check: (world: Parameters<typeof commandsOf>[0]) =>
          expect(commandsOf(world).filter((line) => /^LIST \d/.test(line)).length).toBeGreaterThan(1),
      },
    })),
    {
      ids: ['U-06'],
      when: 'RETR of every message is refused: the mailbox fails, none is to blame, and a person is told',
      world: { faults: [answers('RETR', '-ERR [SYS/TEMP] backend down\r\n')] },
      runs: 4,
      outcome: {
        stored: 0,
        first: { outcome: 'failed', counts: { failed: 5 } },
        last: { error: { code: 'E_POP3_SYS_TEMP' }, counts: { failed: 5, setAside: 0 } },
        says: /refuses every message/,
        check: ({ publisher }) =>
          expect(publisher.accepted.map(({ detailType }) => detailType)).toContain('Mailbox Failing'),
      },
    },
  ],
  shown: [
    {
      ids: ['U-07'],
      by: [
        {
          file: 'test/fetch/numbered.test.ts',
          title:
            'is known by its content when it has moved, and what is new is fetched though the listing is the same',
        },
      ],
    },
  ],
  left: [],
};
