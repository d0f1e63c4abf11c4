/** The test suites, in the order they run: quick ones first, so that a plain mistake is told in seconds. */
import type { PartName } from './parts/install.ts';

export interface Suite {
  readonly name: string;
  /** What it proves. */
  readonly what: string;
  readonly include: readonly string[];
  /** Real parts; without one its tests are skipped, and the run says why. */
  readonly needs: readonly PartName[];
  /** Of one test; a test that needs more says so itself. */
  readonly timeoutMs: number;
  /** Test files at once. 1 where the files measure memory, or share the disk and both cores with the servers they kill. */
  readonly workers: number;
}

const MINUTE_MS = 60_000;

export const SUITES: readonly Suite[] = [
  {
    name: 'unit',
    what: 'each part by itself, against scripted servers and simulated faults',
    include: [
      'test/{pop3,mail,parse,events,secrets,jobs,mailbox,fetch,quirks,bin,functions,docs}/**/*.test.ts',
      'test/layers.test.ts',
    ],
    needs: [],
    timeoutMs: MINUTE_MS,
    workers: 2,
  },
  {
    name: 'contract',
    what: 'every object store keeps the port’s promises',
    include: ['test/store/**/*.test.ts'],
    needs: ['versitygw'],
    timeoutMs: MINUTE_MS,
    workers: 2,
  },
  {
    name: 'real',
    what: 'whole runs against eight POP3 servers and versitygw, functions under AWS’s runtime client',
    include: ['test/real/**/*.test.ts'],
    needs: [
      ...(['dovecot', 'versitygw', 'aws-lambda-ric', 'courier', 'popa3d', 'greenmail'] as const),
      ...(['cyrus', 'mailutils', 'solid-pop3d', 'perdition', 'aws-lambda-rie'] as const),
    ],
    timeoutMs: 2 * MINUTE_MS,
    workers: 2,
  },
  {
    name: 'deployed',
    what: 'the template as AWS would judge it; deployed to an emulator, and mail through all of it',
    include: ['test/deployed/**/*.test.ts'],
    needs: ['osls', 'ministack', 'cfn-lint', 'dovecot'],
    timeoutMs: 2 * MINUTE_MS,
    workers: 2,
  },
  {
    name: 'simulation',
    what: 'the engine through a model, every await that fails, seeded histories, and wrong engines that must be caught',
    include: ['test/{model,awaits,sim,mutants}/**/*.test.ts'],
    needs: [],
    timeoutMs: 10 * MINUTE_MS,
    // Each uses both cores with processes of its own.
    workers: 1,
  },
  {
    name: 'fuzz',
    what: 'framing, reply parsers, headers, settings and state documents survive mutated input',
    include: ['test/fuzz/**/*.test.ts'],
    needs: [],
    timeoutMs: 5 * MINUTE_MS,
    workers: 2,
  },
  {
    name: 'crash',
    what: 'processes killed at every step lose nothing and store nothing twice',
    include: ['test/{crash,proof}/**/*.test.ts'],
    needs: ['dovecot', 'versitygw', 'aws-lambda-ric'],
    timeoutMs: 15 * MINUTE_MS,
    workers: 1,
  },
  {
    name: 'large',
    what: 'large messages and mailboxes within bounds of memory and time',
    include: ['test/large/**/*.test.ts'],
    needs: ['dovecot', 'versitygw', 'aws-lambda-ric'],
    timeoutMs: 15 * MINUTE_MS,
    workers: 1,
  },
];
