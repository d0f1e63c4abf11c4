import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { UsageError } from '../../../bin/exitCodes.ts';
import { loadSettings, MINIMAL_FILE, type Settings } from '../../../bin/settings.ts';
import { SettingsError } from '../../../lib/mailbox/settings.ts';
import { checkPrototypes } from '../prototypes.ts';
import type { Target } from '../target.ts';
import { checkMailboxes } from './settings.ts';

const CHOICE = { config: undefined, folder: undefined, bucket: undefined, ids: [] };

/** A settings file is accepted as it will be read again, or refused with words; never anything else. */
export const yaml: Target = {
  name: 'yaml',
  seeds: [
    MINIMAL_FILE,
    '# one\nstore:\n  bucket: mail-bucket\n  region: eu-west-1\nevents: { bus: default }\nmailboxes:\n- &a { id: a, host: h, user: "u\\t", password: env:A }\n- <<: *a\n  id: b\n',
    'store: {folder: m}\nmailboxes:\n- {id: a, host: h, user: |-\n    ada\n  , password: !!str env:A}\n---\n',
    '%YAML 1.2\n--- !!map\n? [a, b]\n: c\n...\n',
    'a: &a [x]\nb: [*a, *a]\n"__proto__": {polluted: true}\n',
  ].map((text) => Buffer.from(text)),
  words: [
    ...[
      '\n',
      ': ',
      '- ',
      '  ',
      '\t',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '|',
      '>',
      '#',
      '&a ',
      '*a',
      '<<: *a',
      '? ',
    ],
    ...[
      '---\n',
      '...\n',
      '%YAML 1.1\n',
      '!!binary ',
      '!!set ',
      '!!omap ',
      '!x ',
      '~',
      '.nan',
      '0x1',
      '1e3',
      '\\x00',
    ],
    ...['__proto__: ', 'constructor: ', 'mailboxes:\n', 'store: ', 'id: ', '\xef\xbb\xbf', '\r\n', '\0'],
  ],
  async run(bytes) {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-settings-'));
    try {
      await checkFile(bytes, folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function checkFile(bytes: Buffer, folder: string): Promise<void> {
  const settings = await accepted(bytes, folder);
  checkPrototypes();
  if (settings === null) return;
  checkMailboxes(settings.mailboxes);
  const { store, events, mailboxes } = settings;
  assert.deepEqual(await accepted(Buffer.from(stringify({ store, events, mailboxes })), folder), settings);
}

async function accepted(bytes: Buffer, folder: string): Promise<Settings | null> {
  writeFileSync(join(folder, 'mailferry.yaml'), bytes);
  const { emitWarning } = process;
  const warnings: unknown[] = [];
  process.emitWarning = (warning: unknown) => void warnings.push(warning);
  try {
    return await loadSettings(CHOICE, { cwd: folder, env: {} });
  } catch (error) {
    if (error instanceof SettingsError || error instanceof UsageError) return null;
    throw error;
  } finally {
    process.emitWarning = emitWarning;
    // The reader's warnings quote the file, in which a secret may stand by mistake.
    assert.deepEqual(warnings, []);
  }
}
