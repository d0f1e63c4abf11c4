import { parseArgs } from 'node:util';
import type { Parsing } from './commands/command.ts';
import { UsageError } from './exitCodes.ts';
import { ABOUT_MESSAGES, COMMANDS, type CommandName, DEFAULT_TIME_LIMIT_SECONDS } from './help.ts';

const ONLY_PARSE = {
  mailbox: { type: 'string', multiple: true },
  id: { type: 'string' },
  since: { type: 'string' },
} as const;

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  folder: { type: 'string' },
  bucket: { type: 'string' },
  json: { type: 'boolean', default: false },
  'time-limit': { type: 'string' },
  ...ONLY_PARSE,
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'V', default: false },
} as const;

/** A day: a run that needs longer is cut, and the next one goes on. Timers end at 24 days. */
const LONGEST_TIME_LIMIT_SECONDS = 86_400;

export interface Arguments {
  /** Undefined where help or the version is asked for without one. */
  readonly command: CommandName | undefined;
  readonly ids: readonly string[];
  /** Of messages; only of a command that is about some. */
  readonly uidls: readonly string[];
  /** Only of `parse`. */
  readonly parsing: Parsing;
  readonly config: string | undefined;
  readonly folder: string | undefined;
  readonly bucket: string | undefined;
  readonly json: boolean;
  readonly timeLimitMs: number;
  readonly help: boolean;
  readonly version: boolean;
}

/** Throws UsageError. */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parsed(argv);
  const [name, ...ids] = positionals;
  // `mailferry help fetch` is what people type first.
  if (name === 'help') return readArguments([...ids, '--help']);
  const command = COMMANDS.find((known) => known === name);
  const { help, version, json, config, folder, bucket } = values;
  if (command === undefined && name !== undefined) {
    throw new UsageError(`There is no command "${name}"; there are: ${COMMANDS.join(', ')}.`);
  }
  if (command === undefined && !help && !version) {
    throw new UsageError(`A command is missing: ${COMMANDS.join(', ')}.`);
  }
  const ofMessages = command !== undefined && ABOUT_MESSAGES.has(command);
  if (ofMessages && ids.length === 0 && !help) {
    throw new UsageError(
      `${command} is about the messages of one mailbox: mailferry ${command} ID [UIDL …].`,
    );
  }
  const only = Object.keys(ONLY_PARSE).filter((option) => option in values);
  if (command !== 'parse' && only.length > 0 && !help) {
    throw new UsageError(`--${only[0]} is an option of parse only.`);
  }
  return {
    command,
    ids: ofMessages ? ids.slice(0, 1) : [...ids, ...(values.mailbox ?? [])],
    parsing: { messageId: messageId(values.id), sinceMs: since(values.since) },
    uidls: ofMessages ? ids.slice(1) : [],
    config,
    folder,
    bucket,
    json,
    help,
    version,
    timeLimitMs: timeLimit(values['time-limit']),
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's words name the option; its advice about "--" does not help here.
    const words = error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error);
    throw new UsageError(`${words}.`, { cause: error });
  }
}

function timeLimit(given: string | undefined): number {
  if (given === undefined) return DEFAULT_TIME_LIMIT_SECONDS * 1000;
  const seconds = Number(given);
  if (!/^\d+$/.test(given) || seconds < 1 || seconds > LONGEST_TIME_LIMIT_SECONDS) {
    throw new UsageError(
      `--time-limit must be whole seconds, 1 to ${LONGEST_TIME_LIMIT_SECONDS}, not "${given}".`,
    );
  }
  return seconds * 1000;
}

function messageId(given: string | undefined): string | null {
  if (given === undefined || /^[0-9a-f]{32}$/.test(given)) return given ?? null;
  throw new UsageError(
    `--id must be the first 32 digits of the message's name, as in mail/ID/<id>.eml, not "${given}".`,
  );
}

const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)?$/;

/** A day begins at midnight UTC, as all dates of ours. */
function since(given: string | undefined): number | null {
  if (given === undefined) return null;
  const ms = INSTANT.test(given) ? Date.parse(given) : Number.NaN;
  // 31 February would be a day in March.
  if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(given.slice(0, 10))) return ms;
  throw new UsageError(
    `--since must be a day or a time in UTC, 2026-11-25 or 2026-11-25T13:00:00Z, not "${given}".`,
  );
}
