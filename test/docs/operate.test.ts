/** docs/operate.md names whatever rings, is announced or is returned, and no more; its commands and links are good. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readArguments } from '../../bin/arguments.ts';
import { EXIT } from '../../bin/exitCodes.ts';
import { DETAILS } from '../../lib/events/shapes.ts';
import { FINDINGS } from '../../lib/fetch/verify.ts';
import { anchors, document, links, quoted, ROOT, rows, section } from './markdown.ts';

let text: string;
beforeAll(async () => {
  text = await document('docs/operate.md');
});

const firstCells = (heading: string) => rows(section(text, heading)).flatMap(([cell = '']) => quoted(cell));

describe('docs/operate.md', () => {
  it('has a row for each alarm of infra/', async () => {
    const names: string[] = [];
    for (const file of await readdir(join(ROOT, 'infra')))
      for (const [, name = ''] of (await readFile(join(ROOT, 'infra', file), 'utf8')).matchAll(
        /AlarmName: "?mailferry-\$\{sls:stage\}-([\w-]+)/g,
      ))
        names.push(name);
    expect(names.length).toBeGreaterThan(20);
    expect(firstCells('## Alarms').sort()).toEqual(names.sort());
  });

  it('has a row for each event, exit code and finding', () => {
    expect(firstCells('## Events').sort()).toEqual(Object.keys(DETAILS).sort());
    const codes = rows(section(text, '## Exit codes')).map(([code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT));
    const kinds = rows(section(text, '## Objects are gone or damaged')).flatMap(([kind = '']) =>
      quoted(kind),
    );
    expect(kinds.sort()).toEqual(Object.keys(FINDINGS).sort());
  });

  it('has a row for each code of an error, and none that is nowhere', async () => {
    const used = new Set<string>();
    for (const folder of ['lib', 'bin', 'functions'])
      for (const name of await readdir(join(ROOT, folder), { recursive: true }))
        if (name.endsWith('.ts'))
          for (const [code] of (await readFile(join(ROOT, folder, name), 'utf8')).matchAll(
            /\bE_[A-Z0-9]+(?:_[A-Z0-9]+)*\b/g,
          ))
            used.add(code);
    expect(used.size).toBeGreaterThan(100);
    const named = firstCells('## Codes');
    const covers = (pattern: string, code: string) =>
      pattern.endsWith('…') ? code.startsWith(pattern.slice(0, -1)) : code === pattern;
    expect([...used].filter((code) => !named.some((pattern) => covers(pattern, code)))).toEqual([]);
    expect(named.filter((pattern) => ![...used].some((code) => covers(pattern, code)))).toEqual([]);
  });
});

describe.each(['docs/operate.md', 'docs/consume.md'])('%s', (path) => {
  it('has commands that the command takes', async () => {
    const commands = commandsIn(await document(path));
    expect(commands.length).toBeGreaterThan(2);
    for (const command of commands)
      expect(() => readArguments(command.split(' ').slice(1)), command).not.toThrow();
  });

  it('has links that lead somewhere', async () => {
    const own = await document(path);
    expect(links(own).length).toBeGreaterThan(2);
    for (const link of links(own)) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      expect(existsSync(join(ROOT, target)), link).toBe(true);
      if (anchor === undefined) continue;
      const there = await document(target);
      expect([...anchors(there), ...ids(there)], link).toContain(anchor);
    }
  });
});

function ids(text: string): string[] {
  return [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id);
}

/** On lines of their own, and within the text. */
function commandsIn(text: string): string[] {
  const lines = text
    .split('\n')
    .flatMap((line) => (/^ {4,}mailferry /.test(line) ? line.trim().split(' && ') : []));
  const words = quoted(text).filter((word) => word.startsWith('mailferry '));
  return [...lines, ...words].map((command) =>
    command
      .replace(/ {2,}.*$/, '')
      .replace('MESSAGE', '0'.repeat(32))
      .trim(),
  );
}
