/** The command: process in, exit code out. Without "#!": the build puts it before the bundle. */
import { beParser, isParser } from '../functions/parser.ts';

// What starts processes to parse mail starts this file. Nothing else is loaded there.
if (isParser(process.argv)) await beParser(process);
else await (await import('./process.ts')).runAsProcess();
