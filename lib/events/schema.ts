import { z } from 'zod';
import { DETAILS } from './shapes.ts';

export interface SchemaFile {
  /** For example "message-stored.v1.json". */
  readonly name: string;
  /** JSON Schema 2020-12, as text. */
  readonly text: string;
}

/** The JSON Schema of each event's detail, as ./schema holds it. */
export function schemaFiles(): readonly SchemaFile[] {
  return Object.entries(DETAILS).map(([detailType, shape]) => ({
    name: `${detailType.toLowerCase().replaceAll(' ', '-')}.v1.json`,
    text: `${JSON.stringify({ title: detailType, ...z.toJSONSchema(shape) }, null, 2)}\n`,
  }));
}
