/**
 * Whole documents of usual mail, held against those in test/corpus/documents. A change there is a change of what consumers
 * get: GOLDEN=write writes them anew, to be looked at.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsedMail } from '../../lib/mail/documentShape.ts';
import { digestOf } from '../../lib/store/checksum.ts';
import { parsed } from './parsing.ts';
import { USUAL } from './usualMail.ts';

const FOLDER = new URL('../corpus/documents/', import.meta.url);

describe('usual mail', () => {
  it.each(USUAL)('$name', async ({ name, text }) => {
    const found = await parsed(Buffer.from(text, 'latin1'));
    if (!('mail' in found)) throw new Error(found.unparsable);
    expect(parsedMail.safeParse(found.mail).error).toBeUndefined();
    const golden = { ...found.mail, contents: found.contents.map((content) => digestOf(content)) };
    const file = new URL(`${name}.json`, FOLDER);
    if (process.env['GOLDEN'] === 'write') {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(file, `${JSON.stringify(golden, null, 1)}\n`);
    }
    expect(golden).toEqual(JSON.parse(readFileSync(file, 'utf8')));
    // In whatever pieces it comes.
    expect(await parsed(Buffer.from(text, 'latin1'), 7)).toEqual(found);
  });

  it('has no golden document that nothing gives', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(USUAL.map(({ name }) => `${name}.json`).sort());
  });
});
