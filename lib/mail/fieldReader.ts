/** The fields of one header, read by name: what events and documents have in common. */
import { parseDate } from './dateField.ts';
import type { Field } from './headerFields.ts';
import { characters, verbatim } from './values.ts';

/** What `parse` makes of the field of this (lower-case) name; null: there is none. */
export type Read = <T>(name: string, parse: (text: string, cut: boolean) => T) => T | null;

export function readerOf(fields: ReadonlyMap<string, Field>): Read {
  return (name, parse) => {
    const field = fields.get(name);
    return field === undefined ? null : parse(characters(field.raw, field.cut), field.cut);
  };
}

/** The Date field, as HeaderSummary has it. */
export function dateIn(read: Read) {
  // The end of a date that was cut may have been its zone.
  const date = read('date', (text, cut) => (cut ? null : parseDate(verbatim(text))));
  return {
    date: date?.date ?? null,
    dateRaw: read('date', verbatim),
    dateZone: date?.zone ?? null,
  };
}
