/** The proof with real processes, as much of it as there is time for; `npm run proof` kills thousands. */
import { truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needing } from '../real/endsParts.ts';
import { type Ground, startGround } from './ground.ts';
import type { Trial } from './looking.ts';
import { measurePace, type Pace } from './pace.ts';
import { type Installed, install } from './programs.ts';
import { prove } from './prove.ts';
import { expectRest } from './rest.ts';
import { lacking, nameOf, ROWS } from './rows.ts';
import { emptyTally } from './tally.ts';
import { disturb } from './trial.ts';
import { inWords } from './words.ts';

const KILLS = 60;

/** Each program and each far end once. */
const SOME_ROWS = 5;

const rows = ROWS.slice(0, SOME_ROWS);
const skipped = rows.filter((row) => lacking(row).length > 0);
const { missing, title } = needing(`${KILLS} kills at random instants`, 'dovecot');

describe.skipIf(missing)(title, () => {
  it('lose nothing, store nothing twice, and leave a state at rest', async () => {
    for (const row of skipped) console.log(`SKIPPED: ${nameOf(row)}: no ${lacking(row).join(', ')}`);
    const seed = String(Date.now());
    const proof = await prove({
      rows: rows.filter((row) => !skipped.includes(row)),
      seed,
      kills: KILLS,
      lanes: 3,
    });
    console.log(`seed ${seed}\n${inWords(proof)}`);
    expect(proof.failures).toEqual([]);
    const { total } = proof;
    expect(total).toMatchObject({ lost: 0, duplicates: 0, truncated: 0 });
    expect(total.kills).toBeGreaterThanOrEqual(KILLS);
    expect(total.phases['start-up']).toBeLessThan((total.kills + total.victims.zombie) / 2);
  });
});

const sabotage = needing('a far end that loses what it was given', 'dovecot');

describe.skipIf(sabotage.missing)(sabotage.title, () => {
  let installed: Installed;
  let ground: Ground;
  let pace: Pace;

  beforeAll(async () => {
    installed = await install();
    ground = await startGround({ program: 'command', far: 'folder', policy: 'when-stored' }, 5, installed);
    pace = await measurePace(ground, 'u5');
  });
  afterAll(async () => {
    await ground?.stop();
    await installed?.stop();
  });

  it.each([
    {
      what: 'an object that is gone',
      user: 'u1',
      twin: 'u2',
      harm: unlink,
      words: /is not there|is not stored/,
    },
    {
      what: 'an object that is cut',
      user: 'u3',
      twin: 'u4',
      harm: (path: string) => truncate(path, 100),
      words: /is no message/,
    },
  ])('is found out: $what', async ({ user, twin, harm, words }) => {
    const trial: Trial = {
      ground,
      pace,
      user,
      twin,
      tally: emptyTally(),
      enough: () => false,
      oracle: new Map(),
      known: new Map(),
      story: [],
    };
    await disturb(trial, { mail: [600, 700], steps: [] });
    const [key = ''] = [...(await ground.far.objects(user)).keys()];
    await harm(join(ground.far.folder, key));
    trial.known = new Map();
    await expect(expectRest(trial)).rejects.toThrow(words);
  });
});
