import { DEFAULT_FILE, MINIMAL_FILE } from './settings.ts';

export const COMMANDS = [
  'fetch',
  'watch',
  'plan',
  'check',
  'authorize',
  'status',
  'parse',
  'announce',
  'verify',
  'export',
  'retry',
  'release',
  'mailboxes',
  'probe',
] as const;
export type CommandName = (typeof COMMANDS)[number];

/** Their arguments are one mailbox and UIDLs. */
export const ABOUT_MESSAGES: ReadonlySet<CommandName> = new Set(['retry', 'release']);

export const DEFAULT_TIME_LIMIT_SECONDS = 300;

const OPTIONS = `Options:
  --config FILE         settings (default: ./${DEFAULT_FILE})
  --folder DIR          store in this folder instead of the file's store
  --bucket NAME         without --config: the mailboxes and the store of this bucket; with it: store there
    --region R, --endpoint URL   of that bucket; the endpoint is that of an S3-compatible store
    --lock-days N       keep each mail there so long by S3 Object Lock
  --bus NAME            announce on this EventBridge bus
  --json                results as JSON, one object a line, on stdout
  --time-limit SECONDS  of one run on one mailbox (default: ${DEFAULT_TIME_LIMIT_SECONDS})
  --help, --version`;

const EXIT_CODES = `Exit codes, the worst of all mailboxes:
  0    done: nothing is left to do
  1    an unexpected failure: please report it
  2    the command line or the settings are wrong
  3    come back later: network, lock, throttle, or the time was up
  4    a person must act: sign-in, certificate, secret, permission, disk
  5    some messages failed or were set aside; all others are stored
  130  interrupted (Ctrl-C, SIGTERM, SIGHUP): what was stored is on record`;

export const GENERAL_HELP = `mailferry carries every message from POP3 mailboxes into a folder or an S3 bucket, announces each
one, and takes it off the server only when the copy is proved.

Usage: mailferry COMMAND [ID …] [options]

Commands (for the mailboxes with these IDs, or for all that are enabled):
  fetch    store, announce and, where the mailbox says so, delete from the server
  watch    fetch each mailbox on its interval, until Ctrl-C or SIGTERM
  plan     show what fetch would do, and why; retrieves and changes nothing
  check    try every step from the host name to the listing, store and events; retrieves no mail
  status   show what is on record: last success, set-aside messages, back-off
  parse    make documents of stored mail: text, addresses, attachments as files
  announce say again what is on record, with the same event ids: announce --since TIME | ID …
  verify   read stored mail again and hold it against what is on record and what the server lists
  export   write stored mail to an mbox file or a Maildir
  retry    have messages that are set aside tried by the next run: retry ID [UIDL …]
  release  forget that messages failed, so that they count as new: release ID [UIDL …]

Once for a mailbox that signs in by a refresh token:
  authorize  have a person allow it, by a code to enter in a browser: authorize ID

Commands about a store:
  mailboxes  those that functions fetch: apply FILE | list | show ID | pause ID | resume ID
  probe      try what deletions rest on

${OPTIONS}

${EXIT_CODES}

A settings file needs no more than this (mail stays on the server unless a mailbox says
"delete: when-stored"; passwords are references: env:NAME, file:PATH, secretsmanager:ID#KEY):

${MINIMAL_FILE.replace(/^/gm, '    ')}

Examples:
  mailferry check                    does everything answer?
  mailferry plan support             what would happen
  mailferry fetch                    fetch all mailboxes
  mailferry watch                    and again and again
  mailferry fetch --help             more about a command`;

const HELP: Readonly<Record<CommandName, string>> = {
  fetch: `mailferry fetch [ID …] [options]

Stores every message that is not stored yet, announces it, and then, for mailboxes with
"delete: when-stored", deletes it from the server. It runs until nothing is left: --time-limit ends one
run in order, and another goes on where it stopped. Safe to interrupt, to repeat, and to run twice at once.

Messages are files under mail/ID/ in the folder (or objects in the bucket). Events are lines of
events.ndjson in the folder unless the settings say otherwise. With "events: { stdout: true }" events
are printed on stdout and everything else on stderr; mailboxes that delete are refused then.

${OPTIONS}
  --transcript FILE     writes what was said in the session, for one mailbox: without what signs in,
                        and without mail; the file must not exist yet

Examples:
  mailferry fetch
  mailferry fetch support billing --config /etc/${DEFAULT_FILE}
  mailferry fetch --folder ./copy    into another folder; everything else as set
  mailferry fetch --json | jq .counts

${EXIT_CODES}`,
  watch: `mailferry watch [ID …] [options]

Fetches each mailbox at once, and then on its own interval ("every" in the settings, 5m by default), until
Ctrl-C or SIGTERM. A mailbox that fails is left alone for a while, longer each time, and keeps no other
waiting. One that takes longer than its interval skips turns, and that is said. A first import of any size
goes on run by run; --time-limit is that of one run, after which other mailboxes of its host have their turn.

A run that had something to say is one line with its date, or one object with --json; runs that found
nothing new say nothing. Ends in order at the first signal, with exit code 0; at once at the second.
Safe to kill, and to run beside other commands. Settings are read once, at the start. A terminal that is closed
is a signal, too, and nohup does not help against it: start it under systemd, or with setsid.

${OPTIONS}

Examples:
  mailferry watch
  mailferry watch --config /etc/${DEFAULT_FILE} --json >> /var/log/mailferry.ndjson

Exit codes: 0 after a signal, 1 an unexpected failure (please report it), 2 the command line or the settings
are wrong, 4 some lines could not be written on stdout, 130 ended at once by a second signal.`,
  plan: `mailferry plan [ID …] [options]

Signs in, lists, and says for each message what fetch would do and why: fetch, try alone, delete, keep,
set aside, too large or skip. It retrieves no message, writes nothing, deletes nothing.

${OPTIONS}

Examples:
  mailferry plan support
  mailferry plan --json | jq '.rows[] | select(.action == "delete")'

${EXIT_CODES}`,
  check: `mailferry check [ID …] [options]
mailferry check --host NAME --user NAME [--port N] [--tls stls] [--password-from env:NAME|file:PATH] [--ca FILE]

Tries all that a run needs: the store, the events' destination, and for each mailbox step by step its host
name, the connection, TLS and the certificates, the greeting, CAPA, the secret, the sign-in and the
listing. Each step says how long it took and what the server said; the one that fails says what to do. It signs
in once and retrieves no mail. Where a mailbox deletes, the store is also tried for what deletions rest on; this
writes about 40 MB under state/_probe/ and removes it again, at most once a week.

With --host and --user it needs no settings file, store or events. The password is read from where
--password-from points, or asked for on the terminal; without either the check ends before the sign-in.

${OPTIONS}
  --transcript FILE     writes what was said in the session, for one mailbox: without what signs in,
                        and without mail; the file must not exist yet

Examples:
  mailferry check
  mailferry check support --json | jq 'select(.ok == false)'
  mailferry check support --transcript support.txt
  mailferry check --host pop.example.org --user me@example.org

${EXIT_CODES}`,
  parse: `mailferry parse [ID …] [options]

Makes a document (document.json) of each stored message, and an object of each attachment and of HTML,
under parsed/ID/YEAR/MONTH/DAY/ in the store, and announces it: "Message Parsed", or "Message Unparsable"
with the reason. Each message is parsed in a process of its own, so that a hostile one harms no other. What was
parsed before is parsed again, gives the same objects, and is announced again. It asks no mail server.

  --mailbox ID          the same as ID
  --id MESSAGE          only this one: the first 32 digits of its name under mail/ID/
  --since TIME          only what was stored then or later: 2026-11-25, or 2026-11-25T13:00:00Z
${OPTIONS}

Examples:
  mailferry parse
  mailferry parse support --since 2026-11-25
  mailferry parse --mailbox support --id 0a5fbe156cf68532e7833a7e4a607845 --json

${EXIT_CODES}`,
  announce: `mailferry announce [ID …] [--since TIME] [--id MESSAGE] [options]

Says "Message Stored" once more for messages on record, with the ids of the first time: for consumers that have
lost events, or come later. Whoever drops repeats by "id" notices nothing. The header summary is made anew
from the object, or left out, as the settings say. Messages whose objects cannot be read are told of, and
the others go on. About 100 a second. It asks no mail server. Records are kept for four weeks after mail has gone
from its server; of older mail nothing can be announced.

  --since TIME          only what was put on record then or later: 2026-11-25, or 2026-11-25T13:00:00Z
  --id MESSAGE          only this one: the first 32 digits of its name under mail/ID/
  --mailbox ID          the same as ID
Interrupted, or where the bus fails, it says from which time on to go on.

${OPTIONS}

Examples:
  mailferry announce support
  mailferry announce --since 2026-11-25
  mailferry announce support --id 0a5fbe156cf68532e7833a7e4a607845 --bucket mail-archive --bus mail

${EXIT_CODES}`,
  verify: `mailferry verify [ID …] [--no-server] [options]

Reads every object on record again and compares size and SHA-256; looks for objects that no record and no
open attempt explains; and signs in once, without retrieving mail, to say what is listed and on record, and
what is not. It changes nothing. A finding, a line each: on record and not in the store, other bytes than on
record, not given by the store, in the store and not on record, no name of ours. Then the exit code is 5.

  --no-server           no sign-in
  --mailbox ID          the same as ID
${OPTIONS}

Examples:
  mailferry verify
  mailferry verify support --no-server --json | jq 'select(.kind)'

${EXIT_CODES}`,
  export: `mailferry export [ID …] --mbox FILE | --maildir FOLDER [options]

Writes stored mail out, byte for byte, for other programs. It asks no mail server and needs no state: what lies
under mail/ID/ is written. Nothing is overwritten. CRLFs stay as they are; in an mbox lines that begin with
"From " are quoted by ">" (mboxrd), and the separators end in LF. Messages come in no order.
An mbox file appears when it is whole. A Maildir may be gone on with: what is in it is not written again.

  --mbox FILE           one file, which must not be there
  --maildir FOLDER      a new folder, or one that this command has begun
  --since TIME          only what was stored then or later: 2026-11-25, or 2026-11-25T13:00:00Z
  --id MESSAGE          only this one: the first 32 digits of its name under mail/ID/
  --mailbox ID          the same as ID
${OPTIONS}

Examples:
  mailferry export --mbox all.mbox
  mailferry export support --maildir ./support --since 2026-11-01

${EXIT_CODES}`,
  retry: `mailferry retry ID [UIDL …] [options]

Has the next run try messages of mailbox ID that are set aside: those with these UIDLs, or all. Without
it they are tried by themselves, after 1, 2, 4, 8 and then every 14 days. What does not come stays set
aside, and nobody is told again. Only the state is changed: "mailferry fetch ID" then tries them.

${OPTIONS}

Examples:
  mailferry status support           which are set aside, and why
  mailferry retry support && mailferry fetch support
  mailferry retry support 0001a2b3

${EXIT_CODES}`,
  release: `mailferry release ID [UIDL …] [options]

Forgets that messages of mailbox ID failed and were set aside: those with these UIDLs, or all. The next
run takes them for new, counts their attempts anew, and says so again should it set them aside. For
when the reason is gone, such as a server that was repaired. Only the state is changed.

${OPTIONS}

Examples:
  mailferry release support && mailferry fetch support

${EXIT_CODES}`,
  mailboxes: `mailferry mailboxes apply FILE | list | show ID | pause ID | resume ID [options]

The mailboxes that functions fetch, as config/mailboxes.json in the bucket (or folder) has them. "apply"
takes a YAML file with "mailboxes:" as a settings file has it, and "connectionsPerHost:" if wanted. It says
all that is wrong at once, shows what differs, asks, and writes it whole, unless somebody else did meanwhile.
It takes no mailbox away without --remove. "pause" and "resume" change "enabled" alone. Mail, state and
passwords are touched by none of them; a mailbox that comes back goes on where it was.

${OPTIONS}
  --yes                 write without asking
  --remove              mailboxes that FILE does not name are taken away

Examples:
  mailferry mailboxes list --bucket mail-archive
  mailferry mailboxes apply mailboxes.yaml --bucket mail-archive
  mailferry mailboxes pause support --bucket mail-archive
  mailferry status support --bucket mail-archive      every other command knows them, too

Exit codes: 0 done, 2 the command line or the file is wrong, or the answer was no, 3 somebody else changed
them meanwhile or the store is away, 4 a person must act: permission, no such bucket.`,
  probe: `mailferry probe [options]

Tries what deletions rest on, and says for each ability of the store whether it has it: of racing writers one
wins, wrong checksums are refused, unfinished uploads cannot be seen. A store that lacks one gets the mail all
the same, and nothing is deleted from the server. About 40 MB are written under state/_probe/ and removed.

${OPTIONS}

Examples:
  mailferry probe --bucket mail-archive
  mailferry probe --bucket archive --endpoint https://s3.example.org
  mailferry probe --folder /srv/mail

Exit codes: 0 it has them all, 3 it is away, 4 it lacks one, or a person must act.`,
  authorize: `mailferry authorize ID [options]

For a mailbox whose token has "grant: refresh-token": shows an address and a code. Whoever owns the mailbox
opens the address in a browser, on any machine, signs in and enters the code. The refresh token goes where
"refreshToken" points, file:PATH or secretsmanager:ID#KEY, in place of what is there; it is never shown.
Whether it can be saved is tried before anybody is asked. Google gives no tokens for mail this way.

${OPTIONS}

Examples:
  mailferry authorize support && mailferry check support
  mailferry authorize support --bucket mail-archive
  mailferry authorize support --json      a line with verificationUri and userCode, and one at the end

Exit codes: 0 the refresh token is saved, 2 the command line or the settings are wrong, 3 the token endpoint
is away, 4 it was declined, not decided in time, or cannot be had or saved, 130 interrupted: nothing is changed.`,
  status: `mailferry status [ID …] [options]

Shows what the store has on record: messages, last success (noted each four hours while a mailbox is idle),
messages that were set aside or are too large and why, and whether the mailbox is failing. It asks no mail server.

${OPTIONS}

Examples:
  mailferry status
  mailferry status --json | jq '.setAside[]'

${EXIT_CODES}`,
};

export function helpFor(command: CommandName | undefined): string {
  return command === undefined ? GENERAL_HELP : HELP[command];
}
