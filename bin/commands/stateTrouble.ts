import { StateError } from '../../lib/mailbox/stateError.ts';
import { StoreError } from '../../lib/store/port.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import type { Call } from './command.ts';

/** Says that a mailbox's state cannot be read or written; anything else is thrown on. */
export function stateTrouble({ terminal, json }: Call, id: string, error: unknown): ExitCode {
  if (!(error instanceof StoreError || error instanceof StateError)) throw error;
  const { code, kind, message } = error;
  if (json) terminal.json({ mailbox: id, error: { code, kind, message } });
  else terminal.out(`✗ ${id}: ${message} (${code})`);
  return kind === 'person' ? EXIT.person : EXIT.later;
}
