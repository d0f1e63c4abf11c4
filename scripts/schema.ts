/** Writes lib/events/schema from the definitions in lib/events/shapes.ts. A test compares the two. */
import { writeFileSync } from 'node:fs';
import { schemaFiles } from '../lib/events/schema.ts';

for (const { name, text } of schemaFiles()) {
  writeFileSync(new URL(`../lib/events/schema/${name}`, import.meta.url), text);
  console.log(`lib/events/schema/${name}`);
}
