/** What is killed: each row is a program, where it stores to, and whether it deletes. */
import { PARTS } from '../real/endsParts.ts';

export type ProgramName = 'command' | 'function';
export type FarName = 'folder' | 'versitygw' | 'minio';
export type Policy = 'when-stored' | 'keep';

export interface Row {
  readonly program: ProgramName;
  readonly far: FarName;
  readonly policy: Policy;
}

export const MINIO = process.env['MAILFERRY_MINIO'] ?? '';

/** In the order they are taken, so that a short run has tried each program and each far end. */
export const ROWS: readonly Row[] = [
  { program: 'command', far: 'folder', policy: 'when-stored' },
  { program: 'function', far: 'versitygw', policy: 'when-stored' },
  { program: 'command', far: 'minio', policy: 'when-stored' },
  { program: 'command', far: 'versitygw', policy: 'keep' },
  { program: 'function', far: 'minio', policy: 'when-stored' },
  { program: 'command', far: 'folder', policy: 'keep' },
  { program: 'command', far: 'versitygw', policy: 'when-stored' },
  { program: 'function', far: 'versitygw', policy: 'keep' },
  { program: 'command', far: 'minio', policy: 'keep' },
  { program: 'function', far: 'minio', policy: 'keep' },
];

export function nameOf({ program, far, policy }: Row): string {
  return `${program} to ${far}, ${policy}`;
}

/** The real parts that this machine lacks for a row. */
export function lacking({ program, far }: Row): readonly string[] {
  return [
    ...(PARTS.dovecot === '' ? ['dovecot'] : []),
    ...(far === 'versitygw' && PARTS.versitygw === '' ? ['versitygw'] : []),
    ...(far === 'minio' && MINIO === '' ? ['minio'] : []),
    ...(program === 'function' && PARTS.ric === '' ? ['aws-lambda-ric'] : []),
  ];
}
