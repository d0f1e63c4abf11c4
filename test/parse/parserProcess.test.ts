/** The process of one message: the real parser in it, and programs in its place that do the worst. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parserProgram } from '../../functions/parser.ts';
import { systemClock } from '../../lib/fetch/systemClock.ts';
import { parserProcess } from '../../lib/parse/parserProcess.ts';
import { ParserError } from '../../lib/parse/ports.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** For a process to start in, on a machine that does other things as well. */
const TIME_MS = 20_000;

const MAIL = [Buffer.from('Subject: hello\r\n\r\nbody')];

function misbehaving(way: string, timeMs = TIME_MS) {
  const file = path('./misbehaving.ts');
  const program = { file, args: [way], reads: [path('../../lib'), path('.')], env: {}, clock: systemClock };
  return parserProcess(program).parse(MAIL, timeMs);
}

/** Of this process, that still run. */
function children(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [, state, parent] = /\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
      const own = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('misbehaving');
      return own && parent === String(process.pid) && state !== 'Z';
    } catch {
      return false;
    }
  });
}

describe('the parser in a process of its own', () => {
  const parser = parserProcess(parserProgram(path('../../functions/parse.ts'), systemClock));

  it('parses, and gives contents byte for byte', async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 256));
    const mail = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${content.toString('base64')}\r\n--b--\r\n`;
    const pieces = [mail.slice(0, 30), mail.slice(30)].map((piece) => Buffer.from(piece));
    const found = await parser.parse(pieces, TIME_MS);
    expect(found).toMatchObject({
      mail: { text: 'text', parts: [{ role: 'text' }, { role: 'attachment' }] },
    });
    expect('contents' in found && found.contents.map((one) => one.equals(content))).toEqual([true]);
  });

  it('says what it refuses, and does not read the rest', async () => {
    const bomb = Buffer.from(`X: ${'x'.repeat(300_000)}`);
    const pieces = [bomb, ...Array.from({ length: 40 }, () => Buffer.alloc(1024 * 1024, 'y'))];
    expect(await parser.parse(pieces, TIME_MS)).toEqual({ unparsable: 'E_PARSE_HEADERS' });
  });
});

describe.concurrent('a process that misbehaves', { timeout: 60_000 }, () => {
  it('can give a document', async () => {
    expect(await misbehaving('well')).toMatchObject({ mail: { parts: [] }, contents: [] });
  });

  it.each([
    ['spin', 'E_PARSE_TIME'],
    ['deaf', 'E_PARSE_TIME'],
    ['buffers', 'E_PARSE_MEMORY'],
    ['heap', 'E_PARSE_MEMORY'],
    ['exit', 'E_PARSE_CRASHED'],
    ['abort', 'E_PARSE_CRASHED'],
    ['silent', 'E_PARSE_CRASHED'],
    ['garbage', 'E_PARSE_OUTPUT'],
    ['huge', 'E_PARSE_OUTPUT'],
    ['flood', 'E_PARSE_OUTPUT'],
    ['crumbs', 'E_PARSE_OUTPUT'],
    ['notJson', 'E_PARSE_OUTPUT'],
    ['otherShape', 'E_PARSE_OUTPUT'],
    ['loneSurrogate', 'E_PARSE_OUTPUT'],
    ['contentOfNobody', 'E_PARSE_OUTPUT'],
    ['after', 'E_PARSE_OUTPUT'],
    ['unknownReason', 'E_PARSE_OUTPUT'],
  ])('%s: %s', async (way, code) => {
    const timeMs = code === 'E_PARSE_TIME' ? 2_000 : TIME_MS;
    expect(await misbehaving(way, timeMs)).toEqual({ unparsable: code });
  });

  it('is not the mail’s fault where it cannot start', async () => {
    await expect(misbehaving('early')).rejects.toThrow(ParserError);
  });

  it('has no environment, and reads neither its parent’s nor any file but its code', async () => {
    process.env['MAILFERRY_LEAK'] = 'ours';
    const found = await misbehaving('surroundings');
    delete process.env['MAILFERRY_LEAK'];
    const said = 'mail' in found ? JSON.parse(found.mail.text ?? '') : found;
    expect(said).toMatchObject({ ofParent: 'ERR_ACCESS_DENIED', passwd: 'ERR_ACCESS_DENIED' });
    // What the shell adds of its own.
    expect(said.env.filter((name: string) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name))).toEqual([]);
  });
});

it('leaves no process behind', async () => {
  const parsing = misbehaving('deaf', 1_500);
  await expect.poll(children, { timeout: 1_400 }).toHaveLength(1);
  await parsing;
  await expect.poll(children).toEqual([]);
});
