import { z } from 'zod';
import { mailDocument } from './documentShape.ts';

/** JSON Schema 2020-12 of `document.json`, as text; it lies beside those of the events, which point to documents. */
export function documentSchema(): { readonly name: string; readonly text: string } {
  const schema = { title: 'Document', ...z.toJSONSchema(mailDocument, { override: open }) };
  return { name: 'document.v1.json', text: `${JSON.stringify(schema, null, 2)}\n` };
}

/** A version may gain fields. */
function open({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}
