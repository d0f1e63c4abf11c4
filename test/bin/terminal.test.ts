import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../bin/pool.ts';
import { progressLine } from '../../bin/progress.ts';
import { printable, printableJson, terminalOf } from '../../bin/terminal.ts';
import { bytesInWords, countInWords, durationInWords, table } from '../../bin/words.ts';

function terminal(isTTY: boolean) {
  const stream = () => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 60 });
  const [stdout, stderr] = [stream(), stream()];
  const host = { stdout, stderr, env: {}, cwd: '/', signal: new AbortController().signal };
  const text = (output: PassThrough) => String(output.read() ?? '');
  return { made: terminalOf(host, false), stdout: () => text(stdout), stderr: () => text(stderr) };
}

describe('text from strangers', () => {
  it('cannot command a terminal', () => {
    expect(printable('\x1b[2J\u009b31m\r\x07 \u202egnp.exe Grüße 東京')).toBe(
      '\\x1B[2J\\x9B31m\\x0D\\x07 \\u{202E}gnp.exe Grüße 東京',
    );
  });

  it('reaches a program unchanged, and the terminal before it harmless', () => {
    const value = { uidl: '\x1b\u009b\u202e\x7f' };
    expect(printableJson(value)).toMatch(/^[ -~]*$/);
    expect(JSON.parse(printableJson(value))).toEqual(value);
  });
});

describe('progress', () => {
  const step = {
    mailbox: 'support',
    step: 'storing',
    stored: 10,
    toStore: 40,
    bytesReceived: 2e6,
    bytesToStore: 8e6,
  };

  it('is one line that is rewritten, with rate and time left', () => {
    const { made, stderr } = terminal(true);
    let nowMs = 0;
    const line = progressLine(made, () => nowMs);
    line.tick();
    expect(stderr()).toBe('');
    nowMs = 2000;
    line.update(step);
    line.tick();
    expect(stderr()).toBe('\r\x1b[Ksupport: 10 of 40 messages · 2.0 MB of 8.0 MB · 1.0 MB/s · ');
    line.tick();
    expect(stderr()).toBe('');
    line.end();
    expect(stderr()).toBe('\r\x1b[K');
  });

  it('counts on over runs and over mailboxes', () => {
    const { made, stderr } = terminal(true);
    const line = progressLine(made, () => 0);
    line.update({ ...step, stored: 40, bytesReceived: 8e6 });
    line.update({ ...step, mailbox: 'billing' });
    line.update({ ...step, stored: 0, bytesReceived: 0, toStore: 5, bytesToStore: 1e6 });
    line.tick();
    expect(stderr()).toContain('2 mailboxes: 50 of 85 messages · 10.0 MB of 17.0 MB');
  });

  it('is a plain line now and then where nothing can be rewritten', () => {
    const { made, stderr } = terminal(false);
    let nowMs = 0;
    const line = progressLine(made, () => nowMs);
    line.update(step);
    nowMs = 29_999;
    line.tick();
    expect(stderr()).toBe('');
    nowMs = 30_000;
    line.tick();
    const said = stderr();
    expect(said).toMatch(/^support: 10 of 40 messages · .* left\n$/);
    expect(said).not.toContain('\x1b');
    line.tick();
    line.end();
    expect(stderr()).toBe('');
  });

  it('gives way to other lines and comes back below them', () => {
    const { made, stderr } = terminal(true);
    made.live('half way');
    made.err('a warning');
    expect(stderr()).toBe('\r\x1b[Khalf way\r\x1b[Ka warning\n\r\x1b[Khalf way');
  });
});

describe('figures', () => {
  it('are read as people write them', () => {
    expect([0, 999, 1000, 1_450_000, 310e6, 5e12].map(bytesInWords)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.4 MB',
      '310 MB',
      '5.0 TB',
    ]);
    expect([0, 840, 9_999, 42_000, 200_000, 7_500_000].map(durationInWords)).toEqual([
      '0.0 s',
      '0.8 s',
      '10.0 s',
      '42 s',
      '3 min 20 s',
      '2 h 5 min',
    ]);
    expect([countInWords(1, 'message'), countInWords(12_000, 'message')]).toEqual([
      '1 message',
      '12,000 messages',
    ]);
  });

  it('stand to the right of their column', () => {
    expect(
      table(
        ['size', 'action'],
        [
          ['1.4 kB', 'keep'],
          ['9 B', 'fetch'],
        ],
      ),
    ).toBe('  size  action\n1.4 kB  keep\n   9 B  fetch');
  });
});

const ALL_ALIKE = { all: 2, perGroup: 9, groupOf: () => '' };

describe('a pool', () => {
  it('never runs more than its width at once, and keeps the order', async () => {
    let running = 0;
    let most = 0;
    const results = await new Pool<number>(ALL_ALIKE).all([5, 1, 4, 2, 3], async (turns) => {
      running += 1;
      most = Math.max(most, running);
      for (let turn = 0; turn < turns; turn++) await null;
      running -= 1;
      return turns;
    });
    expect(results).toEqual([5, 1, 4, 2, 3]);
    expect(most).toBe(2);
  });

  it('lets those of a crowded group wait, and nobody else', async () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const width = { all: 3, perGroup: 2, groupOf: (item: string) => item.slice(0, 1) };
    const done = new Pool(width).all(['a1', 'a2', 'a3', 'a4', 'b1', 'b2'], async (item) => {
      begun.push(item);
      await new Promise<void>((resolve) => ends.push(resolve));
      return item;
    });
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    await settled();
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    for (const next of [
      ['a1', 'a2', 'b1', 'b2'],
      ['a1', 'a2', 'b1', 'b2', 'a3'],
      ['a1', 'a2', 'b1', 'b2', 'a3', 'a4'],
    ]) {
      ends.shift()?.();
      await settled();
      expect([...begun].sort()).toEqual([...next].sort());
    }
    for (const end of ends) end();
    expect(await done).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2']);
  });

  it('goes on behind what failed', async () => {
    const failing = new Pool<number>({ ...ALL_ALIKE, all: 1 }).all([1, 2, 3], async (item) => {
      if (item === 1) throw new Error('one');
    });
    await expect(failing).rejects.toThrow('one');
  });
});
