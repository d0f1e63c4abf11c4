/** Writes lib/events/schema from the definitions of events and of the document. A test compares the two. */
import { writeFileSync } from 'node:fs';
import { schemaFiles } from './schemaFiles.ts';

for (const { name, text } of schemaFiles()) {
  writeFileSync(new URL(`../lib/events/schema/${name}`, import.meta.url), text);
  console.log(`lib/events/schema/${name}`);
}
