/**
 * A process that writes to a folder store until it is killed or has made `times` rounds: one increment of the
 * counter, one message, one upload. It says what was acknowledged, a line each, after it was.
 */
import { digestOf } from '../../lib/store/checksum.ts';
import { folderStore } from '../../lib/store/folder.ts';
import { completeSettled, createSettled } from '../../lib/store/settle.ts';
import { increment, messageOf, uploaded } from './writing.ts';

const [folder = '', name = '', times = '0'] = process.argv.slice(2);
const store = folderStore(folder, { random: Math.random });

for (let round = 1; round <= Number(times); round += 1) {
  await increment(store, 'state/counter.json');
  process.stdout.write('counted\n');
  for (const kind of ['small', 'upload']) {
    const key = `mail/${name}/${kind}-${round}.eml`;
    const body = messageOf(key);
    if (kind === 'small') {
      await createSettled(store, key, body, digestOf(body));
    } else {
      const { upload, digest } = await uploaded(store, key, body);
      await completeSettled(upload, store, key, digest);
    }
    process.stdout.write(`stored ${key}\n`);
  }
}
