/** The parse function's environment to ports; apart from wiring.ts, whose mail servers and secrets it has no use for. */
import { systemClock } from '../lib/fetch/systemClock.ts';
import { parserProcess } from '../lib/parse/parserProcess.ts';
import type { ParsePorts } from '../lib/parse/ports.ts';
import { busOf, storeOf } from './ends.ts';
import type { Environment } from './environment.ts';
import { parserProgram } from './parser.ts';

/** `file`: what a parser's process runs. */
export function wireParsing(environment: Environment, file: string): ParsePorts {
  return {
    store: storeOf(environment),
    publisher: busOf(environment),
    parser: parserProcess(parserProgram(file, systemClock)),
  };
}
