import { z } from 'zod';
import { SettingsError } from '../lib/mailbox/settings.ts';

/** What a function is told by its environment; read once, at the cold start. */

const url = z.url({ protocol: /^https?$/ });

const environment = z.object({
  MAILFERRY_BUCKET: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name'),
  MAILFERRY_BUS: z.string().regex(/^[A-Za-z0-9._:/-]{1,1600}$/, 'must be the name or ARN of an event bus'),
  /** Lambda sets it. */
  AWS_REGION: z.string().min(1).default('us-east-1'),
  /** For stand-ins of AWS and S3-compatible stores; absent on AWS. */
  MAILFERRY_S3_ENDPOINT: url.optional(),
  MAILFERRY_EVENTS_ENDPOINT: url.optional(),
  MAILFERRY_SECRETS_ENDPOINT: url.optional(),
  MAILFERRY_PATH_STYLE: z.enum(['true', 'false']).default('false'),
  /** Whether a mailbox's host may be in a private network, or this very machine. */
  MAILFERRY_PRIVATE_ADDRESSES: z.enum(['true', 'false']).default('false'),
});

export interface Environment {
  readonly bucket: string;
  readonly bus: string;
  readonly region: string;
  readonly s3Endpoint: string | undefined;
  readonly eventsEndpoint: string | undefined;
  readonly secretsEndpoint: string | undefined;
  readonly pathStyle: boolean;
  readonly privateAddresses: boolean;
}

/** Throws SettingsError with every problem. An empty variable is an absent one: templates leave such behind. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return `${name}: ${given[name] === undefined ? 'is missing' : message}`;
    });
    throw new SettingsError('environment', problems);
  }
  const { data } = parsed;
  return {
    bucket: data.MAILFERRY_BUCKET,
    bus: data.MAILFERRY_BUS,
    region: data.AWS_REGION,
    s3Endpoint: data.MAILFERRY_S3_ENDPOINT,
    eventsEndpoint: data.MAILFERRY_EVENTS_ENDPOINT,
    secretsEndpoint: data.MAILFERRY_SECRETS_ENDPOINT,
    pathStyle: data.MAILFERRY_PATH_STYLE === 'true',
    privateAddresses: data.MAILFERRY_PRIVATE_ADDRESSES === 'true',
  };
}
