/** Wrong engines that misread the store's answers, or name objects wrongly. */
import type { Mutant } from './mutant.ts';

const FROM_BYTES = 'lib/fetch/storing.ts';

export const STORING: readonly Mutant[] = [
  {
    name: '412 = stored',
    breaks: '"exists" is believed to speak of these bytes, without looking',
    patches: [
      {
        file: 'lib/store/settle.ts',
        find: "if (answer === 'created') return 'created';",
        replace: "if (answer === 'created' || answer === 'exists') return 'created';",
      },
    ],
    caughtBy: { oracles: ['I5 event'] },
  },
  {
    name: '412 = failed',
    breaks:
      '"exists" is the store\'s fault: what came under a used UIDL, or was stored unseen, is never stored',
    patches: [
      {
        file: 'lib/store/settle.ts',
        find: "if (answer !== 'exists') unknown = answer;",
        replace: `if (answer === 'exists') {
      const facts = { kind: 'later' as const, code: 'E_STORE_TAKEN', operation: 'create', key };
      throw new StoreError('The key is taken.', facts);
    }
    unknown = answer;`,
      },
    ],
    caughtBy: { oracles: ['L1 arrives', 'L3 quiet'] },
  },
  {
    name: 'unconditional PUT',
    breaks: 'a message replaces whatever its key holds',
    patches: [
      {
        file: 'lib/store/settle.ts',
        find: 'write: () => store.create(key, body, digest),',
        replace: 'write: () => store.remove(key).then(() => store.create(key, body, digest)),',
      },
    ],
    caughtBy: { oracles: ['I7 immutable'] },
  },
  {
    name: 'PUT not awaited',
    breaks: 'a message counts as stored once its PUT was sent',
    patches: [
      {
        file: FROM_BYTES,
        find: 'const placed = await place(context, received);',
        replace: `const placing = place(context, received);
  placing.catch(() => {});
  const placed = { created: true, byContent: false };`,
      },
    ],
    caughtBy: { oracles: ['I5 event'] },
  },
  {
    name: 'clock in key',
    breaks: 'the key has the time in it, so that a repeat, or an overlapping run, stores a second object',
    patches: [
      {
        file: 'lib/fetch/storing.ts',
        find: 'const first = messageKey(context.mailbox.id, wanted.ref.uidl);',
        replace: `const first = messageKey(context.mailbox.id, wanted.ref.uidl)
    .replace('.eml', \`-\${context.ports.clock.now()}.eml\`);`,
      },
    ],
    caughtBy: { oracles: ['I3 object', 'I4 one object'] },
  },
  {
    name: 'UIDL alone',
    breaks:
      'a UIDL on record counts as stored, whatever the size listed now: mail that reuses one is never fetched',
    patches: [
      {
        file: 'lib/mailbox/records.ts',
        find: 'if (record.uidl !== uidl || record.size !== size) return false;',
        replace: 'if (record.uidl !== uidl) return false;',
      },
    ],
    caughtBy: { oracles: ['L1 arrives'] },
  },
  {
    name: 'listed twins renamed',
    breaks:
      'equal bytes under another UIDL are taken for renamed mail though the first is listed: never announced',
    patches: [
      {
        file: 'lib/fetch/known.ts',
        find: 'if (isGone && this.#listing.hasOctets(record.size)) this.#vanished.add(record);',
        replace: 'this.#vanished.add(record);',
      },
      {
        file: 'lib/fetch/known.ts',
        find: 'const watched = this.#watched.has(record.uidl);',
        replace: 'const watched = this.#watched.has(record.uidl);\n      this.#noteVanished(record);',
      },
    ],
    caughtBy: { oracles: ['I6 renamed', 'L1 arrives'] },
  },
];
