import assert from 'node:assert/strict';
import { chunked, seedsOf } from '../chunking.ts';
import { CALLS, converse, REPLY_COUNT, type Replies, type Told } from '../conversation.ts';
import { bodyOf, octetsOf, rowOf, statusOf } from '../references.ts';
import type { Target } from '../target.ts';

/** Between two replies of an input. No reply of a server needs it. */
const SEPARATOR = '\x1e';

/** The bit of an input's choice by which a line that ends early breaks. */
const BREAKS = 0x10;

const MESSAGES = CALLS.flatMap(({ name }, index) => (/^(RETR|TOP)/.test(name) ? [index] : []));

const FENCES = CALLS.flatMap(({ name }, index) => {
  const [, verb, number] = /^(UIDL|LIST) (\d)$/.exec(name) ?? [];
  return verb === undefined ? [] : [{ index, verb, number: Number(number) }];
});

const said = (...replies: readonly string[]) => replies.join(SEPARATOR);

/**
 * A session comes to the same however its replies are cut, and where the line ends early: to nothing that was not
 * said. A message is whole only where its terminator came.
 */
export const session: Target = {
  name: 'session',
  seeds: [
    ...seedsOf(
      said(
        ...['+OK ready\r\n', '+OK\r\n', '+OK\r\n', '+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n'],
        ...['+OK\r\n1 aa\r\n2 b b\r\n.\r\n', '+OK\r\n1 6\r\n2 0\r\n.\r\n', '+OK\r\n..a\r\n\r\n.\r\n'],
        ...[
          '+OK\r\n..a\r\n\r\n\0\r\n.\r\n',
          '+OK 1 aa\r\n',
          '+OK\r\n.\r\n',
          '+OK 2 0\r\n',
          '+OK\r\n',
          '+OK bye\r\n',
        ],
      ),
      said('-ERR [IN-USE] busy\r\n'),
      said(
        '+OK\r\n',
        '+OK\r\n',
        '-ERR no\r\n',
        '-ERR no\r\n',
        '-ERR\r\n',
        '-ERR [SYS/TEMP]\r\n',
        '-ERR x\r\n',
        '+OK\r\na\r\n.\r\n+OK\r\n',
      ),
    ),
  ],
  words: [
    ...[SEPARATOR, '+OK', '-ERR', '\r\n', '\r\n.\r\n', '.\r\n', '.', '\r', '\n', ' ', '\0', '\xff'],
    ...['+OK\r\n', '-ERR\r\n', '+OK 1 aa\r\n', '[AUTH]', '1 aa\r\n', 'x'.repeat(130), '9'.repeat(20)],
  ],
  async run(bytes) {
    const { whole, chunks, choice } = chunked(bytes);
    const replies = repliesOf([whole]);
    const told = await converse(replies);
    checkMessages(told, replies);
    checkFences(told, replies);
    assert.deepEqual(await converse(repliesOf(chunks)), told);
    const early = repliesOf([chunks[0] ?? whole]);
    checkMessages(await converse(early, { end: choice & BREAKS ? 'rst' : 'fin' }), early);
  },
};

/** The pieces of each reply. A separator within a piece ends the reply and the piece. */
function repliesOf(chunks: readonly Buffer[]): Replies {
  const replies: Buffer[][] = [[]];
  for (const chunk of chunks) {
    for (const [index, piece] of chunk.toString('latin1').split(SEPARATOR).entries()) {
      if (index > 0) replies.push([]);
      replies.at(-1)?.push(Buffer.from(piece, 'latin1'));
    }
  }
  return replies.slice(0, REPLY_COUNT);
}

/** Each message that came whole has its end among the bytes that came, wherever the line ended. */
function checkMessages(told: readonly Told[], replies: Replies): void {
  assert.ok(told.length <= replies.length + 1, 'more was answered than was said');
  for (const index of MESSAGES) {
    const one = told[index + 1];
    if (one === undefined || !('value' in one)) continue;
    const wire = replyTo(index, replies);
    const { content, ended } = bodyOf(wire.slice(wire.indexOf('\r\n') + 2));
    assert.ok(ended, 'a message without its end was taken for whole');
    assert.deepEqual(one.value, { octets: content.length, text: content });
  }
}

/** An answer about one message is about that message, and says what the reply said. */
function checkFences(told: readonly Told[], replies: Replies): void {
  for (const { index, verb, number } of FENCES) {
    const one = told[index + 1];
    if (one === undefined || !('value' in one)) continue;
    const line = replyTo(index, replies).split('\r\n', 1)[0] ?? '';
    const row = rowOf(statusOf(line)?.text ?? '');
    assert.equal(row?.number, number);
    assert.equal(one.value, verb === 'LIST' ? octetsOf(row?.rest ?? '') : row?.rest);
  }
}

/** Before that of the first call come the greeting's and the first of two for signing in. */
function replyTo(index: number, replies: Replies): string {
  return Buffer.concat(replies[index + 2] ?? []).toString('latin1');
}
