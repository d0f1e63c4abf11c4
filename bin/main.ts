import { SettingsError } from '../lib/mailbox/settings.ts';
import { StoreError } from '../lib/store/port.ts';
import packageJson from '../package.json' with { type: 'json' };
import { adHocSecrets, adHocSettings } from './adHoc.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { announceCommand } from './commands/announce.ts';
import { authorizeCommand } from './commands/authorize.ts';
import { checkCommand } from './commands/check.ts';
import type { Command, StoreCommand } from './commands/command.ts';
import { exportCommand } from './commands/export.ts';
import { fetchCommand } from './commands/fetch.ts';
import { mailboxesCommand } from './commands/mailboxes.ts';
import { parseCommand } from './commands/parse.ts';
import { planCommand } from './commands/plan.ts';
import { probeCommand } from './commands/probe.ts';
import { releaseCommand, retryCommand } from './commands/setAside.ts';
import { statusCommand } from './commands/status.ts';
import { verifyCommand } from './commands/verify.ts';
import { watchCommand } from './commands/watch.ts';
import { EXIT, type ExitCode, UsageError } from './exitCodes.ts';
import { type CommandName, helpFor } from './help.ts';
import { refuseMissing, settingsFor, storeFor } from './places.ts';
import type { Settings } from './settings.ts';
import { type Host, terminalOf } from './terminal.ts';
import { openTranscript, type Transcript } from './transcript.ts';
import { storeOf, wire } from './wiring.ts';

/** About a store and what is in it; they use no mailbox. */
const IN_STORE = { mailboxes: mailboxesCommand, probe: probeCommand } as const satisfies Partial<
  Record<CommandName, StoreCommand>
>;

const RUN: Readonly<Record<Exclude<CommandName, keyof typeof IN_STORE>, Command>> = {
  fetch: fetchCommand,
  watch: watchCommand,
  plan: planCommand,
  check: checkCommand,
  authorize: authorizeCommand,
  status: statusCommand,
  parse: parseCommand,
  announce: announceCommand,
  verify: verifyCommand,
  export: exportCommand,
  retry: retryCommand,
  release: releaseCommand,
};

/** They need a place for their events. */
const ANNOUNCING: ReadonlySet<CommandName> = new Set(['fetch', 'watch', 'announce']);

/** Of nothing they would say that all is well. */
const OF_WHAT_IS_STORED: ReadonlySet<CommandName> = new Set(['announce', 'export', 'parse', 'verify']);

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
    if (error instanceof StoreError) {
      terminal.err(`mailferry: ${error.message} (${error.code})`);
      return error.kind === 'person' ? EXIT.person : EXIT.later;
    }
    terminal.err(`mailferry: an unexpected failure, please report it:\n${detail(error)}`);
    return EXIT.unexpected;
  }
}

async function run(command: CommandName, given: Arguments, host: Host): Promise<ExitCode> {
  const { adHoc, json, timeLimitMs } = given;
  if (command === 'mailboxes' || command === 'probe') {
    const store = storeOf(await storeFor(given, host));
    return IN_STORE[command]({ given, host, store, terminal: terminalOf(host, false) });
  }
  const announces = ANNOUNCING.has(command);
  const { settings, broken } = adHoc
    ? { settings: adHocSettings(adHoc, host.cwd), broken: [] }
    : await settingsFor(given, host, announces);
  if (OF_WHAT_IS_STORED.has(command)) refuseMissing(settings.store);
  // Events on stdout are for a program; a line of ours among them would break its input.
  const terminal = terminalOf(host, settings.events !== null && 'stdout' in settings.events);
  for (const line of broken) terminal.err(line);
  for (const id of settings.disabled)
    terminal.err(`${id}: passed over, since it is not enabled; name it to use it all the same.`);
  const wired = wire(settings, host);
  const transcript = transcriptOf(given.transcript, settings, { cwd: host.cwd, now: wired.clock.now });
  try {
    const secrets = adHoc ? await adHocSecrets(adHoc, host, wired.secrets) : wired.secrets;
    return await RUN[command]({
      ...{
        settings,
        mailboxes: settings.mailboxes,
        uidls: given.uidls,
        chosen: given.chosen,
        terminal,
        json,
        timeLimitMs,
      },
      ...{ signal: host.signal, isAdHoc: adHoc !== undefined, cwd: host.cwd },
      ...{ into: given.into, server: given.server, named: given.ids.length > 0 },
      ports: { ...wired, secrets, ...(transcript && { observe: transcript.observe }) },
    });
  } finally {
    const trouble = transcript?.close() ?? null;
    if (trouble !== null) terminal.err(`mailferry: ${trouble}`);
  }
}

function transcriptOf(
  path: string | undefined,
  { mailboxes }: Settings,
  rest: { readonly cwd: string; readonly now: () => number },
): Transcript | undefined {
  if (path === undefined) return undefined;
  const [mailbox, ...others] = mailboxes;
  if (mailbox === undefined || others.length > 0)
    throw new UsageError('--transcript is of one mailbox: name its ID.');
  return openTranscript(path, { mailbox, ...rest });
}

function detail(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
