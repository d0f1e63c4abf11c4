/** Lambda: a schedule's minute to jobs. Settings and clients are made once per cold start. */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { systemClock } from '../lib/fetch/systemClock.ts';
import { type Dispatched, dispatchJobs } from './dispatchJobs.ts';
import { jobsOf, storeOf } from './ends.ts';
import { readDispatchEnvironment } from './environment.ts';
import { observed } from './powertools.ts';

const environment = readDispatchEnvironment(process.env);
const { telemetry, middlewares } = observed(environment.serviceName);
const dispatching = {
  store: storeOf(environment),
  jobs: jobsOf(environment),
  telemetry,
  now: systemClock.now,
};

export const handler = middy<unknown, Dispatched>({ timeoutEarlyInMillis: 0 })
  .use([...middlewares])
  .handler((event: unknown, context: Context) => dispatchJobs(dispatching, event, context));
