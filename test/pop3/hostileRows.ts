/** Threats by what a server, or whoever pretends to be one, may do: each with the tests that try it, or why there is none. */
export interface Threat {
  /** T: transport and sign-in; D: denial of service. */
  readonly id: string;
  readonly what: string;
  /** Test file and words of a test's title in it. */
  readonly shownBy: readonly (readonly [file: string, title: string])[];
  /** Why nothing shows it. */
  readonly notYet?: string;
}

export const THREATS: readonly Threat[] = [
  {
    id: 'T1',
    what: 'STLS stripped, refused or answered with garbage',
    shownBy: [
      ['test/pop3/stls.test.ts', 'no STLS, no session (T1, C-04)'],
      ['test/pop3/stls.test.ts', 'with a server that does not have it at all'],
      ['test/real/stls.test.ts', 'gets no password from a mailbox that wants STLS'],
      ['test/mailbox/settings.test.ts', 'do without TLS for nobody who writes %j'],
    ],
  },
  {
    id: 'T2',
    what: 'answers injected behind the +OK of STLS',
    shownBy: [
      ['test/pop3/stls.test.ts', 'a byte between the answer to STLS and the handshake ends the session'],
      ['test/pop3/stls.test.ts', 'in a segment of its own too, however they are split'],
      ['test/pop3/stls.test.ts', 'the line in the clear is of no use any more'],
    ],
  },
  {
    id: 'T3',
    what: 'a greeting that claims a state',
    shownBy: [
      ['test/pop3/hostile.test.ts', 'a greeting changes nothing (T3)'],
      ['test/pop3/stls.test.ts', 'whatever the greeting says of being signed in'],
    ],
  },
  {
    id: 'T4',
    what: 'silence in STLS and in the handshake',
    shownBy: [
      ['test/pop3/stls.test.ts', 'a server that falls silent (T4)'],
      ['test/pop3/dial.test.ts', 'ends when the handshake takes too long'],
    ],
  },
  {
    id: 'T5',
    what: 'certificates that prove nothing',
    shownBy: [
      ['test/pop3/certificates.test.ts', 'over %s a server is trusted by its certificate alone'],
      ['test/real/stls.test.ts', 'is not signed in to over STLS with a certificate that nobody trusts'],
    ],
  },
  {
    id: 'T6',
    what: 'APOP, to recover a password from crafted challenges',
    shownBy: [['test/pop3/hostile.test.ts', 'signs in by USER and PASS alone, whatever is offered (T6, T7)']],
  },
  {
    id: 'T7',
    what: 'mechanisms chosen by the server',
    shownBy: [['test/pop3/hostile.test.ts', 'signs in by USER and PASS alone, whatever is offered (T6, T7)']],
  },
  { id: 'T8', what: 'errors of OAuth that want an answer', shownBy: [], notYet: 'OAuth is not spoken.' },
  {
    id: 'T9',
    what: 'a second command inside an argument',
    shownBy: [
      ['test/pop3/hostile.test.ts', 'no argument becomes a command (T9)'],
      [
        'test/pop3/replies.test.ts',
        'is one line with one CRLF at its end, or is not written, for any strings',
      ],
      ['test/pop3/session.test.ts', 'is a RangeError for the message number %s'],
    ],
  },
  {
    id: 'T10',
    what: 'secrets in errors and logs',
    shownBy: [['test/pop3/secrets.test.ts', 'is in no error and no object after $name (T10, A-14)']],
  },
  {
    id: 'T11',
    what: 'sign-ins without end, and locked accounts',
    shownBy: [
      ['test/fetch/tryLater.test.ts', 'tried less than ten times in two days of polls each minute'],
      ['test/fetch/time.test.ts', 'is read afresh once after a refused sign-in'],
    ],
  },
  {
    id: 'T12',
    what: 'a host that only a function can reach',
    shownBy: [
      ['test/pop3/addresses.test.ts', 'spelled %s leads nowhere'],
      ['test/pop3/addresses.test.ts', 'whose resolver flips is asked once'],
      ['test/functions/environment.test.ts', 'lets no mailbox reach a private network or the machine itself'],
    ],
  },
  {
    id: 'T13',
    what: "a terminal's control in the server's words",
    shownBy: [
      ['test/pop3/replies.test.ts', 'never has a control character in it, nor more than 512 characters'],
    ],
  },
  {
    id: 'D1',
    what: 'a status line without end',
    shownBy: [
      ['test/pop3/hostile.test.ts', 'over %s what has no end is cut off'],
      ['test/pop3/session.test.ts', 'a status line without end is cut off at the limit (G-11)'],
    ],
  },
  {
    id: 'D2',
    what: 'a listing or a row without end',
    shownBy: [
      ['test/pop3/hostile.test.ts', 'over %s what has no end is cut off'],
      ['test/pop3/answers.test.ts', 'without end stops at its limit of bytes, and memory stays flat (D2)'],
    ],
  },
  {
    id: 'D3',
    what: 'a body, or a line of it, without end',
    shownBy: [
      ['test/pop3/hostile.test.ts', 'over %s what has no end is cut off'],
      ['test/large/memory.test.ts', 'is the same for 1 GB as for 10 MB, into a folder'],
    ],
  },
  {
    id: 'D4',
    what: 'a byte now and then, for ever, in each phase',
    shownBy: [
      ['test/pop3/deadlines.test.ts', 'in $name is dropped although it is never silent (D4)'],
      ['test/pop3/deadlines.test.ts', 'in its greeting is dropped when the greeting is due'],
      ['test/pop3/stls.test.ts', 'and drips its answer'],
      ['test/pop3/hostile.test.ts', 'drips its handshake'],
    ],
  },
  {
    id: 'D5',
    what: 'work that grows faster than what is sent',
    shownBy: [
      ['test/fuzz/doubling.test.ts', 'twice the input takes less than three times as long'],
      [
        'test/pop3/framing.test.ts',
        'costs about eight times as much when it is eight times as long, whatever the chunks',
      ],
    ],
  },
  {
    id: 'D6',
    what: 'an answer that comes too late, and would be taken for the next one',
    shownBy: [['test/pop3/deadlines.test.ts', 'is not heard again: a late answer is paired with nothing']],
  },
  {
    id: 'D7',
    what: 'more answers than were asked for',
    shownBy: [
      ['test/pop3/hostile.test.ts', 'over %s an answer too many ends the session'],
      ['test/pop3/session.test.ts', 'bytes that nobody asked for end the session before anything is written'],
    ],
  },
  {
    id: 'D8',
    what: 'an end before the terminator',
    shownBy: [
      ['test/pop3/cuts.test.ts', 'RETR on a line that ends too early is an error that says how much came'],
      [
        'test/fuzz/splitPairs.test.ts',
        'a line that ends at any byte, whatever the cut before it, ends no message early',
      ],
    ],
  },
  {
    id: 'D9',
    what: 'terminators in pieces',
    shownBy: [
      ['test/pop3/splits.test.ts', 'an answer means the same however it is cut'],
      ['test/fuzz/splitPairs.test.ts', 'a session comes to the same at every pair of cuts'],
    ],
  },
];
