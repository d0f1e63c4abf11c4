/** The JSON Schemas in lib/events/schema, for consumers: of each event's detail, and of the document that events point to. */
import { z } from 'zod';
import { DETAILS } from '../lib/events/shapes.ts';
import { mailDocument } from '../lib/mail/documentShape.ts';

export interface SchemaFile {
  /** For example "message-stored.v1.json". */
  readonly name: string;
  /** JSON Schema 2020-12, as text. */
  readonly text: string;
}

export function schemaFiles(): readonly SchemaFile[] {
  return Object.entries({ ...DETAILS, Document: mailDocument }).map(([title, shape]) => ({
    name: `${title.toLowerCase().replaceAll(' ', '-')}.v1.json`,
    text: `${JSON.stringify({ title, ...z.toJSONSchema(shape, { override: open }) }, null, 2)}\n`,
  }));
}

/** A version may gain fields: what is not named yet is refused by our own definitions, and not by what consumers check with. */
function open({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}
