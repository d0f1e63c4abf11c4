/** docs/deploy.md: whoever types its commands one after another means one deployment, in one region. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readArguments } from '../../bin/arguments.ts';
import { anchors, document, links, ROOT, section } from './markdown.ts';

const PATH = 'docs/deploy.md';

let text: string;
let commands: readonly string[];
beforeAll(async () => {
  text = await document(PATH);
  commands = text
    .replaceAll(/ \\\n\s+/g, ' ')
    .split('\n')
    .filter((line) => /^ {4,}(npm|aws) /.test(line))
    .map((line) => line.trim().replace(/ {2,}#.*$/, ''));
});

describe(PATH, () => {
  it('names the stage and the region in each command, since both have defaults', () => {
    const deploying = commands.filter((command) => command.startsWith('npm run osls -- '));
    expect(deploying.length).toBeGreaterThan(3);
    for (const command of deploying) expect(command).toMatch(/ --stage prod --region eu-central-1\b/);
    // Buckets are found in any region; a secret is only where it was made.
    const secrets = commands.filter((command) => command.startsWith('aws secretsmanager '));
    expect(secrets).toHaveLength(1);
    expect(secrets[0]).toContain(' --region eu-central-1');
  });

  it('has commands that the command takes', () => {
    const own = commands.filter((command) => command.startsWith('npm run mailferry -- '));
    expect(own.length).toBeGreaterThan(0);
    for (const command of own)
      expect(() => readArguments(command.split(' ').slice(4)), command).not.toThrow();
  });

  it('gives parameters that there are', async () => {
    const yml = await document('serverless.yml');
    const given = [...text.matchAll(/--param="?(?!name=value)(\w+)=/g)].map(([, name = '']) => name);
    expect(given.length).toBeGreaterThan(2);
    const named = section(text, '## Parameters').match(/The ones most asked for:.*?\n\n/s)?.[0] ?? '';
    const asked = [...named.matchAll(/`(\w+)(?:=\w+)?`/g)].map(([, name = '']) => name);
    expect(asked.length).toBeGreaterThan(10);
    for (const name of [...given, ...asked]) expect(yml, name).toMatch(new RegExp(`^    ${name}: `, 'm'));
  });

  it('has links that lead somewhere', async () => {
    for (const link of links(text)) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? PATH : join(dirname(PATH), file);
      expect(existsSync(join(ROOT, target)), link).toBe(true);
      if (anchor !== undefined) expect(anchors(await document(target)), link).toContain(anchor);
    }
  });
});
