import { z } from 'zod';
import { SettingsError } from '../lib/mailbox/settings.ts';

/** What a function is told by its environment; read once, at the cold start. */

const url = z.url({ protocol: /^https?$/ });

const bus = {
  MAILFERRY_BUS: z.string().regex(/^[A-Za-z0-9._:/-]{1,1600}$/, 'must be the name or ARN of an event bus'),
};

/** Of the FIFO queue of jobs. Also where it is: a stand-in needs no endpoint. */
const queue = { MAILFERRY_QUEUE_URL: url };

const common = z.object({
  MAILFERRY_BUCKET: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name'),
  /** Lambda sets it. */
  AWS_REGION: z.string().min(1).default('us-east-1'),
  /** For stand-ins of AWS and S3-compatible stores; absent on AWS. */
  MAILFERRY_S3_ENDPOINT: url.optional(),
  MAILFERRY_EVENTS_ENDPOINT: url.optional(),
  MAILFERRY_SECRETS_ENDPOINT: url.optional(),
  /** Of mail objects, by S3 Object Lock; 0: none. */
  MAILFERRY_LOCK_DAYS: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a number of days')
    .default('0'),
  MAILFERRY_LOCK_MODE: z.enum(['COMPLIANCE', 'GOVERNANCE']).default('COMPLIANCE'),
  MAILFERRY_PATH_STYLE: z.enum(['true', 'false']).default('false'),
  /** Whether a mailbox's host may be in a private network, or this very machine. */
  MAILFERRY_PRIVATE_ADDRESSES: z.enum(['true', 'false']).default('false'),
  /** The name of this deployment in lines and figures. */
  POWERTOOLS_SERVICE_NAME: z.string().min(1).max(250).optional(),
});

/** Of every function. */
export interface StoreEnvironment {
  readonly bucket: string;
  readonly region: string;
  readonly s3Endpoint: string | undefined;
  readonly eventsEndpoint: string | undefined;
  readonly secretsEndpoint: string | undefined;
  readonly pathStyle: boolean;
  readonly lock: { readonly mode: 'COMPLIANCE' | 'GOVERNANCE'; readonly days: number } | undefined;
  readonly privateAddresses: boolean;
  readonly serviceName: string | undefined;
}

export interface Environment extends StoreEnvironment {
  readonly bus: string;
}

export interface QueueEnvironment {
  readonly queueUrl: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Throws SettingsError with every problem. An empty variable is an absent one: templates leave such behind. */
export function readEnvironment(env: Variables): Environment {
  const data = parsed(common.extend(bus), env);
  return { ...commonOf(data), bus: data.MAILFERRY_BUS };
}

/** As readEnvironment; of fetch. */
export function readFetchEnvironment(env: Variables): Environment & QueueEnvironment {
  const data = parsed(common.extend({ ...bus, ...queue }), env);
  return { ...commonOf(data), bus: data.MAILFERRY_BUS, queueUrl: data.MAILFERRY_QUEUE_URL };
}

/** As readEnvironment; of dispatch, which announces nothing. */
export function readDispatchEnvironment(env: Variables): StoreEnvironment & QueueEnvironment {
  const data = parsed(common.extend(queue), env);
  return { ...commonOf(data), queueUrl: data.MAILFERRY_QUEUE_URL };
}

function parsed<T>(schema: z.ZodType<T>, env: Variables): T {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${name}: ${given[name] === undefined ? 'is missing' : message}`;
  });
  throw new SettingsError('environment', problems);
}

function commonOf(data: z.infer<typeof common>): StoreEnvironment {
  return {
    bucket: data.MAILFERRY_BUCKET,
    region: data.AWS_REGION,
    s3Endpoint: data.MAILFERRY_S3_ENDPOINT,
    eventsEndpoint: data.MAILFERRY_EVENTS_ENDPOINT,
    secretsEndpoint: data.MAILFERRY_SECRETS_ENDPOINT,
    pathStyle: data.MAILFERRY_PATH_STYLE === 'true',
    lock:
      Number(data.MAILFERRY_LOCK_DAYS) === 0
        ? undefined
        : { mode: data.MAILFERRY_LOCK_MODE, days: Number(data.MAILFERRY_LOCK_DAYS) },
    privateAddresses: data.MAILFERRY_PRIVATE_ADDRESSES === 'true',
    serviceName: data.POWERTOOLS_SERVICE_NAME,
  };
}
