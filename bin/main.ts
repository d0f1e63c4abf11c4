import { SettingsError } from '../lib/mailbox/settings.ts';
import packageJson from '../package.json' with { type: 'json' };
import { type Arguments, readArguments } from './arguments.ts';
import { checkCommand } from './commands/check.ts';
import type { Command } from './commands/command.ts';
import { fetchCommand } from './commands/fetch.ts';
import { parseCommand } from './commands/parse.ts';
import { planCommand } from './commands/plan.ts';
import { releaseCommand, retryCommand } from './commands/setAside.ts';
import { statusCommand } from './commands/status.ts';
import { watchCommand } from './commands/watch.ts';
import { EXIT, type ExitCode, UsageError } from './exitCodes.ts';
import { type CommandName, helpFor } from './help.ts';
import { loadSettings } from './settings.ts';
import { type Host, terminalOf } from './terminal.ts';
import { wire } from './wiring.ts';

const RUN: Readonly<Record<CommandName, Command>> = {
  fetch: fetchCommand,
  watch: watchCommand,
  plan: planCommand,
  check: checkCommand,
  status: statusCommand,
  parse: parseCommand,
  retry: retryCommand,
  release: releaseCommand,
};

/** The command line, without the program's name, to its exit code. Never rejects. */
export async function main(argv: readonly string[], host: Host): Promise<ExitCode> {
  const terminal = terminalOf(host, false);
  try {
    const given = readArguments(argv);
    if (given.version) {
      terminal.out(`mailferry ${packageJson.version}`);
      return EXIT.done;
    }
    if (given.help || given.command === undefined) {
      terminal.out(helpFor(given.command));
      return EXIT.done;
    }
    return await run(given.command, given, host);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`mailferry: ${error.message}\nSee: mailferry --help`);
      return EXIT.usage;
    }
    if (error instanceof SettingsError) {
      terminal.err(`mailferry: ${error.message}`);
      return EXIT.usage;
    }
    terminal.err(`mailferry: an unexpected failure, please report it:\n${detail(error)}`);
    return EXIT.unexpected;
  }
}

async function run(command: CommandName, given: Arguments, host: Host): Promise<ExitCode> {
  const settings = await loadSettings(given, host);
  const { json, timeLimitMs } = given;
  // Events on stdout are for a program; a line of ours among them would break its input.
  const terminal = terminalOf(host, 'stdout' in settings.events);
  for (const id of settings.disabled)
    terminal.err(`${id}: passed over, since it is not enabled; name it to use it all the same.`);
  return RUN[command]({
    settings,
    mailboxes: settings.mailboxes,
    uidls: given.uidls,
    parsing: given.parsing,
    ports: wire(settings, host),
    terminal,
    json,
    timeLimitMs,
    signal: host.signal,
  });
}

function detail(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
