/** Wrong engines that believe what a server sends too early, or for too long. */
import type { Patch } from '../patches/patches.ts';
import type { Mutant } from './mutant.ts';

/** The body counts as ended where the line ended. */
export const TRUNCATED_BODY: Patch = {
  file: 'lib/pop3/connection.ts',
  find: 'await this.#fill(this.#timer.now() + bounds.silenceMs, pace);',
  replace: `try {
        await this.#fill(this.#timer.now() + bounds.silenceMs, pace);
      } catch (error) {
        if (octets > 0) break;
        throw error;
      }`,
};

/** A closed line needs no fence. */
const NO_FENCE_WHEN_CLOSED: Patch = {
  file: 'lib/fetch/fence.ts',
  find: 'const question = questionOf(session, rows);',
  replace: 'const question = questionOf(session, rows);\n  if (session.client.closedBy !== null) return;',
};

/** Nor sent ahead. */
export const NO_FENCE_AHEAD: Patch = {
  file: 'lib/fetch/pipeline.ts',
  find: 'return [...retrs, { verb: fence.form, number: fence.row.number }];',
  replace: 'return retrs;',
};

export const NO_FENCE: Patch = {
  file: 'lib/fetch/window.ts',
  find: 'await fence(\n      session,',
  replace: 'await (async (..._: unknown[]) => {})(\n      session,',
};

/** Bytes that nobody asked for do not end a session by themselves. */
const UNSOLICITED_IN_BODY: Patch = {
  file: 'lib/pop3/connection.ts',
  find: `if (!this.#isOwed && this.#unread() > 0) throw await this.#unsolicited();
    this.#observe?.({ what: 'body', octets });`,
  replace: "this.#observe?.({ what: 'body', octets });",
};

/** A line that came unasked is the status of RETR, whose own status is then the message's first line. */
const STATUS_IN_MESSAGE: Patch = {
  file: 'lib/fetch/window.ts',
  find: "return BEGINS_WITH_REPLY.test(intake.start.toString('latin1')) && digest.size !== row.octets;",
  replace: 'return false;',
};

export const SHORTFALL_IGNORED: Patch = {
  file: 'lib/mailbox/policy.ts',
  find: 'return size === null || unstuffed === true || (!estimated && octets < size);',
  replace: 'return size === null && octets < 0 && estimated && unstuffed === true;',
};

export const RETRIEVING: readonly Mutant[] = [
  {
    name: 'truncated accepted',
    breaks: 'the end of the stream ends a message, and no fence is asked of a line that is gone',
    patches: [TRUNCATED_BODY, NO_FENCE_WHEN_CLOSED],
    caughtBy: { oracles: ['I3 object'] },
  },
  {
    name: 'fence not awaited',
    breaks: 'a window is stored whatever its fence was answered',
    patches: [
      { file: 'lib/fetch/window.ts', find: '      await discard(taken);\n', replace: '' },
      {
        file: 'lib/fetch/window.ts',
        find: 'throw new WindowLost(cause, onlyOne(context, window));',
        replace: 'void cause;',
      },
    ],
    caughtBy: { oracles: ['I3 object', 'I1 removal'] },
  },
  {
    name: 'fence not sent after a single RETR',
    breaks: 'a window of one message is stored unfenced: its tail may still be in flight',
    patches: [
      {
        file: 'lib/fetch/fence.ts',
        find: 'const form = session.fence;',
        replace: 'const form = session.fence;\n        if (rows.length === 1) return null;',
      },
      {
        file: 'lib/fetch/fence.ts',
        find: 'const question = questionOf(session, rows);',
        replace: 'const question = questionOf(session, rows);\n        if (rows.length === 1) return;',
      },
    ],
    caughtBy: { oracles: ['I3 object', 'I1 removal'] },
  },
  {
    name: 'cut mail deleted by A with its tail in flight',
    breaks:
      'no fence at all and no look at LIST: mail that cut itself is stored, to be deleted in the same session',
    patches: [NO_FENCE, NO_FENCE_AHEAD, UNSOLICITED_IN_BODY, SHORTFALL_IGNORED],
    caughtBy: { oracles: ['I3 object'] },
  },
  {
    name: 'TOP without a fence',
    breaks:
      'the tail of headers that cut themselves is taken for what the next message sent, which is set aside',
    patches: [
      {
        file: 'lib/fetch/deleting.ts',
        find: 'message here.\n  await fence(session, [row]);\n',
        replace: 'message here.\n',
      },
    ],
    caughtBy: {
      file: 'test/fetch/suspects.test.ts',
      title: 'a server that does not stuff dots > whose TOP sends',
    },
  },
  {
    name: 'bytes nobody asked for ignored',
    breaks:
      'what a server sends unasked is taken for the answer to the next command, at both places that notice it',
    patches: [
      UNSOLICITED_IN_BODY,
      STATUS_IN_MESSAGE,
      {
        file: 'lib/pop3/connection.ts',
        find: `if (this.#unread() > 0) throw await this.#unsolicited();
      this.#observe?.({ what: 'said', line: visible(this.#exchange) });`,
        replace: "this.#observe?.({ what: 'said', line: visible(this.#exchange) });",
      },
      {
        file: 'lib/pop3/connection.ts',
        find: `if (!this.#isOwed && this.#unread() > 0) throw await this.#unsolicited();
    this.#ahead.push(`,
        replace: 'this.#ahead.push(',
      },
    ],
    caughtBy: {
      file: 'test/mutants/rare.test.ts',
      title: 'what is too rare for the simulation > a line that nobody asked for',
    },
  },
  {
    name: 'status line in a message unnoticed',
    breaks:
      'a line sent unasked, and still in flight when RETR is written, shifts the status into the message',
    patches: [STATUS_IN_MESSAGE],
    caughtBy: {
      file: 'test/mutants/rare.test.ts',
      title: 'what is too rare for the simulation > a line that nobody asked for',
    },
  },
  {
    name: 'dots that are missing unnoticed',
    breaks: 'a mail that lost dots where commands came together is stored as it came',
    patches: [
      { file: 'lib/fetch/window.ts', find: '(unstuffed || (!policy', replace: '((!policy' },
      {
        file: 'lib/mailbox/policy.ts',
        find: ' || unstuffed === true',
        replace: '',
      },
    ],
    caughtBy: {
      file: 'test/fetch/pipelining.test.ts',
      title: 'a server that does not stuff dots where commands come together',
    },
  },
  {
    name: 'dots left stuffed',
    breaks: 'the dot that a server put before a line stays in the object',
    patches: [
      {
        file: 'lib/pop3/framing.ts',
        find: "return this.#run(chunk, at);\n        }\n        return this.#skip(at, 'after dot CR');",
        replace:
          "return this.#run(chunk, Math.max(0, at - 1));\n        }\n        return this.#skip(at, 'after dot CR');",
      },
    ],
    caughtBy: { oracles: ['I3 object'] },
  },
  {
    name: 'numbers kept across sessions',
    breaks: "a second session works by the first one's listing, whose message numbers mean other mail now",
    patches: [
      {
        file: 'lib/fetch/run.ts',
        find: 'context.session = session;',
        replace: `const { listing, known } = context.session ?? session;
  Object.assign(session, { listing, known });
  context.session = session;`,
      },
    ],
    // Fences by UIDL stop it first, so that it gets nowhere; only one by LIST of a like size lets it delete.
    caughtBy: { oracles: ['I1 removal', 'I10 binding', 'I14 innocent', 'L3 quiet'] },
  },
  {
    name: 'QUIT after doubt',
    breaks:
      'a session is ended by QUIT though a message that it retrieved is not stored: some servers hide it then',
    patches: [{ file: 'lib/fetch/run.ts', find: 'if (session.inDoubt.size > 0) {', replace: 'if (false) {' }],
    caughtBy: { oracles: ['I1 doubt'] },
  },
  {
    name: 'quiet with work left',
    breaks: 'the listing is noted as done though messages of it are not, and later runs pass them over',
    patches: [{ file: 'lib/fetch/run.ts', find: 'const digest = quiet ?', replace: 'const digest = true ?' }],
    caughtBy: { oracles: ['L1 arrives'] },
  },
  {
    name: 'what came short among others stored',
    breaks: 'mail that lost its dots where commands came together is stored as it came',
    patches: [
      { file: 'lib/fetch/window.ts', find: 'window.ahead && (unstuffed', replace: 'false && (unstuffed' },
    ],
    caughtBy: { oracles: ['I3 object'] },
  },
  {
    name: 'several commands, whatever was announced',
    breaks: 'a server that announces no PIPELINING is sent commands before its answers came',
    patches: [
      { file: 'lib/fetch/session.ts', find: 'capabilities.pipelining && mailbox', replace: 'mailbox' },
    ],
    caughtBy: {
      file: 'test/fetch/pipelining.test.ts',
      title: 'where CAPA announces PIPELINING > sends one command at a time',
    },
  },
  {
    name: 'a message blamed for a server that bears one command only',
    breaks: 'each session loses its first message, for the server is never found out',
    patches: [
      { file: 'lib/fetch/window.ts', find: 'return ahead && !pipelineHeld;', replace: 'return false;' },
    ],
    caughtBy: {
      file: 'test/fetch/pipelining.test.ts',
      title: 'a server that falls out of step where commands come together > ',
    },
  },
  {
    name: 'the next batch asked for before its intents are there',
    breaks: 'of what a kill leaves in the store nothing tells that it is to be announced',
    patches: [
      {
        file: 'lib/fetch/transfer.ts',
        find: 'let ready: readonly Wanted[] = [];',
        replace: 'let ready: readonly Wanted[] = policy.keptMs === null ? next : [];',
      },
    ],
    caughtBy: {
      file: 'test/fetch/betweenBatches.test.ts',
      title: 'what is asked for behind the batch under way > is nothing before intents announce it',
    },
  },
];
