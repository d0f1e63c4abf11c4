/**
 * What AWS asks for in us-east-1, in dollars, without free tiers and volume discounts; and what this project wants to cost.
 * AWS's own pages cannot be read by a program that runs no scripts, so `seen` says where the figure was read last.
 */

export interface Price {
  readonly dollars: number;
  /** So many of `unit`. */
  readonly per: number;
  readonly unit: string;
  /** AWS's own page. */
  readonly page: string;
  /** Who repeats that page's figure, as of `AS_OF`. */
  readonly seen: string;
}

export const AS_OF = '2026-11-29';

const LAMBDA = 'https://aws.amazon.com/lambda/pricing/';
const S3 = 'https://aws.amazon.com/s3/pricing/';
const EVENTBRIDGE = 'https://aws.amazon.com/eventbridge/pricing/';
const SQS = 'https://aws.amazon.com/sqs/pricing/';
const CLOUDWATCH = 'https://aws.amazon.com/cloudwatch/pricing/';
const SECRETS = 'https://aws.amazon.com/secrets-manager/pricing/';

const MILLION = 1_000_000;

export const PRICES = {
  lambdaSeconds: {
    ...{ dollars: 0.0000133334, per: 1, unit: 'GB-second on arm64', page: LAMBDA },
    seen: 'https://cloudchipr.com/blog/aws-lambda-pricing',
  },
  lambdaRequests: {
    ...{ dollars: 0.2, per: MILLION, unit: 'invocation', page: LAMBDA },
    seen: 'https://git.mcrn.ar/mariano/lambda_local_runner/src/branch/main/docs/lambdas-md/lambda-13-cost.md',
  },
  s3Writes: {
    ...{ dollars: 0.005, per: 1000, unit: 'PUT, POST or LIST', page: S3 },
    seen: 'https://c3x.dev/blog/s3-request-fees-explained',
  },
  s3Reads: {
    ...{ dollars: 0.0004, per: 1000, unit: 'GET or HEAD', page: S3 },
    seen: 'https://c3x.dev/blog/s3-request-fees-explained',
  },
  events: {
    ...{ dollars: 1, per: MILLION, unit: 'event of our own, each 64 KB', page: EVENTBRIDGE },
    seen: 'https://cloudburn.io/blog/amazon-eventbridge-pricing',
  },
  scheduled: {
    ...{ dollars: 1, per: MILLION, unit: 'call by a schedule', page: EVENTBRIDGE },
    seen: 'https://cloudburn.io/blog/amazon-eventbridge-pricing',
  },
  fifoCalls: {
    ...{ dollars: 0.5, per: MILLION, unit: 'call to a FIFO queue, each 64 KB', page: SQS },
    seen: 'https://cloudburn.io/blog/amazon-sqs-pricing',
  },
  queueCalls: {
    ...{ dollars: 0.4, per: MILLION, unit: 'call to a standard queue, each 64 KB', page: SQS },
    seen: 'https://cloudburn.io/blog/amazon-sqs-pricing',
  },
  logBytes: {
    ...{ dollars: 0.5, per: 1e9, unit: 'GB of logs taken in', page: CLOUDWATCH },
    seen: 'https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/',
  },
  figures: {
    ...{ dollars: 0.3, per: 1, unit: 'figure of our own, a month', page: CLOUDWATCH },
    seen: 'https://signoz.io/guides/cloudwatch-pricing',
  },
  alarms: {
    ...{ dollars: 0.1, per: 1, unit: 'alarm, a month', page: CLOUDWATCH },
    seen: 'not confirmed: as AWS had it in 2025',
  },
  secretReads: {
    ...{ dollars: 0.05, per: 10_000, unit: 'call to Secrets Manager', page: SECRETS },
    seen: 'https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms',
  },
  secrets: {
    ...{ dollars: 0.4, per: 1, unit: 'secret, a month', page: SECRETS },
    seen: 'https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms',
  },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;

/** What we want to cost at the most, in dollars. */
export const GOALS = {
  /** A first import, a million messages stored and announced. */
  bulkMillion: 7.5,
  /** 10,000 mailboxes, each looked at every 5 minutes for 30 days, without new mail. */
  monthOfTenThousand: 150,
} as const;
