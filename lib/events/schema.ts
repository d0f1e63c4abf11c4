import { z } from 'zod';
import { DETAILS } from './shapes.ts';

export interface SchemaFile {
  /** For example "message-stored.v1.json". */
  readonly name: string;
  /** JSON Schema 2020-12, as text. */
  readonly text: string;
}

/**
 * The JSON Schema of each event's detail, as ./schema holds it. A version may gain fields: those that it does not name yet
 * are refused by our own definitions, and not by what consumers check with.
 */
export function schemaFiles(): readonly SchemaFile[] {
  return Object.entries(DETAILS).map(([detailType, shape]) => ({
    name: `${detailType.toLowerCase().replaceAll(' ', '-')}.v1.json`,
    text: `${JSON.stringify({ title: detailType, ...z.toJSONSchema(shape, { override: open }) }, null, 2)}\n`,
  }));
}

function open({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}
