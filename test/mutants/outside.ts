/** Wrong engines that the ports hide from the simulation: each is caught by a test of the part that it is in. */
import type { Mutant } from './mutant.ts';
import { TRUNCATED_BODY } from './retrieving.ts';

export const OUTSIDE: readonly Mutant[] = [
  {
    name: 'truncated accepted by the client alone',
    breaks:
      'the end of the stream ends a message; the fence saves the engine, but not who else uses the client',
    patches: [TRUNCATED_BODY],
    caughtBy: { file: 'test/pop3/cuts.test.ts', title: 'RETR on a line that ends too early is an error' },
  },
  {
    name: 'poisoned connection reused',
    breaks: 'a protocol error leaves the line open, and its next answers are paired with the wrong commands',
    patches: [
      {
        file: 'lib/pop3/connection.ts',
        find: "return this.#wire.close(this.#error({ kind: 'broken', code, words, next: RECONNECT, unsent }));",
        replace: "return this.#error({ kind: 'broken', code, words, next: RECONNECT, unsent });",
      },
    ],
    caughtBy: {
      file: 'test/pop3/answers.test.ts',
      title: 'the single-message forms > are a broken protocol for any other answer',
    },
  },
  {
    name: 'unconditional PUT on the wire',
    breaks: 'If-None-Match is not sent, so that the store replaces what is there',
    patches: [
      {
        file: 'lib/store/s3.ts',
        find: "const put = this.#put(key, body, checksum, { IfNoneMatch: '*' });",
        replace: 'const put = this.#put(key, body, checksum, {} as { IfMatch: string });',
      },
    ],
    caughtBy: {
      file: 'test/store/s3Wire.test.ts',
      title: 'what goes over the wire > is one conditional, checksummed PUT for a small message',
    },
  },
  {
    name: 'ETag undefined',
    breaks: 'an answer without ETag is taken for success, and the next replace has no condition',
    patches: [
      {
        file: 'lib/store/s3.ts',
        find: "throw withoutETag('replace', key);",
        replace: "return '';",
      },
    ],
    caughtBy: { file: 'test/store/answers/answers.test.ts', title: 'ETag to replace' },
  },
  {
    name: '5xx after a PUT = not stored',
    breaks: 'an unclear answer counts as "not done", though the write may have been done or may still land',
    patches: [
      {
        file: 'lib/store/s3Errors.ts',
        find: "return write && (answer === 'unclear' || answer === 'slow down') ? 'unknown' : 'later';",
        replace: "return 'later';",
      },
    ],
    caughtBy: { file: 'test/store/answers/answers.test.ts', title: '5xx to create' },
  },
  {
    name: 'composite of one part',
    breaks:
      'the checksum of parts is computed over the whole, so that nothing uploaded in parts is recognised',
    patches: [
      {
        file: 'lib/store/checksum.ts',
        find: 'this.#composite.update((this.#part ?? this.#whole.copy()).digest());',
        replace: 'this.#composite.update(this.#whole.copy().digest());',
      },
    ],
    caughtBy: { file: 'test/store/checksum.test.ts', title: 'a digest > ' },
  },
  {
    name: 'failed entry ignored by the adapter',
    breaks: 'the answer 200 to PutEvents counts for each of its entries',
    patches: [
      {
        file: 'lib/events/eventBridgePut.ts',
        find: 'item.verdict = readEntry(Entries[index]);',
        replace: "item.verdict = 'accepted';",
      },
    ],
    caughtBy: {
      file: 'test/events/eventBridgeAnswers.test.ts',
      title: 'an entry counts as accepted only by an EventId of its own',
    },
  },
  {
    name: 'redaction off',
    breaks: "a server's reply is shown though it repeats the password",
    patches: [
      {
        file: 'lib/pop3/masking.ts',
        find: 'parts.some((part) => haystack.includes(part)) ? WITHHELD : escapeBytes(bytes)',
        replace: 'escapeBytes(bytes)',
      },
    ],
    caughtBy: { file: 'test/pop3/secrets.test.ts', title: 'a password > is in no error' },
  },
];
