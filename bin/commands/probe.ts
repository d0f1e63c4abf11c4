import { systemClock } from '../../lib/fetch/systemClock.ts';
import { type Ability, deletesAllowed, probe } from '../../lib/store/abilities.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import type { StoreCall } from './command.ts';

/** Each of them is needed before anything is deleted. */
const MEANINGS: readonly (readonly [Ability, string])[] = [
  ['create', 'of racing writers of one object one wins, and it is never replaced'],
  ['replace', 'of racing writers of a document one wins, and a stale one never does'],
  ['complete', 'a large object keeps to the same condition'],
  ['checksums', 'bytes that are not those of their checksum are refused'],
  ['invisibleAborts', 'an upload that is under way or given up cannot be seen'],
];

/** Tries what deletions rest on, with about 40 MB that are removed again. Rejects with StoreError. */
export async function probeCommand({ store, terminal, given }: StoreCall): Promise<ExitCode> {
  const place = 'bucket' in store.place ? store.place.bucket : store.place.folder;
  const abilities = await probe(store, systemClock);
  const deletes = deletesAllowed(abilities);
  if (given.json) terminal.json({ place, deletes, ...abilities });
  else {
    for (const [ability, meaning] of MEANINGS) {
      const reason = abilities.reasons[ability];
      terminal.out(`${abilities[ability] ? '✓' : '✗'} ${ability.padEnd(16)}${reason ?? meaning}`);
    }
    terminal.out(
      deletes
        ? `${place} can be trusted with deletions.`
        : `${place} cannot be trusted with deletions: mail that is stored there is left on its server.`,
    );
  }
  return deletes ? EXIT.done : EXIT.person;
}
