/** Lambda: the jobs queue to runs. Settings and clients are made once per cold start. */
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { jobsOf } from './ends.ts';
import { readFetchEnvironment } from './environment.ts';
import { fetchJobs } from './fetchJobs.ts';
import { observed } from './powertools.ts';
import { wire } from './wiring.ts';

const environment = readFetchEnvironment(process.env);
const { telemetry, middlewares } = observed(environment.serviceName);
const fetching = { ports: wire(environment), jobs: jobsOf(environment), telemetry };

/**
 * The early timeout is off: it would answer while runs go on, and leave their sockets open in a frozen process.
 * Each run has its own deadline, made from the function's remaining time.
 */
export const handler = middy<SQSEvent, SQSBatchResponse>({ timeoutEarlyInMillis: 0 })
  .use([...middlewares])
  .handler((event: SQSEvent, context: Context) => fetchJobs(fetching, event, context));
