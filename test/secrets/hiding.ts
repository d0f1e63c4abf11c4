import { inspect } from 'node:util';
import { expect } from 'vitest';
import { SecretError } from '../../lib/secrets/port.ts';
import { formsIn } from '../canaries.ts';

/** The SecretError that `reading` rejects with. */
export async function refusal(reading: Promise<unknown>): Promise<SecretError> {
  const error: unknown = await reading.then(
    () => 'resolved',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SecretError);
  return error as SecretError;
}

/** Everything that a log, a console or an event could make of `thing`. */
function showings(thing: unknown): string[] {
  const shown = [String(thing), `${thing}`, JSON.stringify(thing) ?? ''];
  for (const showHidden of [false, true])
    shown.push(inspect(thing, { depth: 10, showHidden, getters: true }));
  if (thing instanceof Error) {
    for (const name of Object.getOwnPropertyNames(thing)) shown.push(String(Reflect.get(thing, name)));
    shown.push(JSON.stringify(thing, Object.getOwnPropertyNames(thing)));
    if (thing.cause !== undefined) shown.push(...showings(thing.cause));
  }
  return shown;
}

/** In no form that test/canaries.ts knows. */
export function expectHidden(thing: unknown, secret: string): void {
  for (const shown of showings(thing)) expect(formsIn(shown, secret)).toEqual([]);
}
