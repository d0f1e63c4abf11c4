/** Lambda: the jobs queue to runs. Settings and clients are made once per cold start. */
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { readEnvironment } from './environment.ts';
import { fetchJobs } from './fetchJobs.ts';
import { wire } from './wiring.ts';

const ports = wire(readEnvironment(process.env));

/**
 * The early timeout is off: it would answer while runs go on, and leave their sockets open in a frozen process.
 * Each run has its own deadline, made from the function's remaining time.
 */
export const handler = middy<SQSEvent, SQSBatchResponse>({ timeoutEarlyInMillis: 0 }).handler(
  (event: SQSEvent, context: Context) => fetchJobs({ ports, log: console.log }, event, context),
);
