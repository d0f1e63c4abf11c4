import { describe, expect, it } from 'vitest';
import {
  readDispatchEnvironment,
  readEnvironment,
  readFetchEnvironment,
} from '../../functions/environment.ts';
import { wire } from '../../functions/wiring.ts';
import type { Pop3Error } from '../../lib/pop3/errors.ts';
import { failure } from '../pop3/handLine.ts';

const GOOD = { MAILFERRY_BUCKET: 'mail-archive', MAILFERRY_BUS: 'mail', AWS_REGION: 'eu-west-1' };

describe('the environment', () => {
  it('is enough for ports, and nothing is sent yet', () => {
    const ports = wire(readEnvironment(GOOD));
    expect(ports.store.place).toEqual({ bucket: 'mail-archive' });
    expect(ports.publisher.durable).toBe(true);
  });

  it('takes an empty variable for an absent one', () => {
    expect(readEnvironment({ ...GOOD, MAILFERRY_S3_ENDPOINT: '', MAILFERRY_PATH_STYLE: '' })).toEqual({
      bucket: 'mail-archive',
      bus: 'mail',
      region: 'eu-west-1',
      s3Endpoint: undefined,
      eventsEndpoint: undefined,
      secretsEndpoint: undefined,
      pathStyle: false,
      privateAddresses: false,
      lock: undefined,
    });
  });

  it('keeps mail for so many days, where it says so', () => {
    expect(readEnvironment({ ...GOOD, MAILFERRY_LOCK_DAYS: '0' }).lock).toBeUndefined();
    expect(readEnvironment({ ...GOOD, MAILFERRY_LOCK_DAYS: '365' }).lock).toEqual({
      ...{ mode: 'COMPLIANCE', days: 365 },
    });
    const governed = { MAILFERRY_LOCK_DAYS: '7', MAILFERRY_LOCK_MODE: 'GOVERNANCE' };
    expect(readEnvironment({ ...GOOD, ...governed }).lock).toEqual({ mode: 'GOVERNANCE', days: 7 });
    expect(() => readEnvironment({ ...GOOD, MAILFERRY_LOCK_DAYS: 'a year' })).toThrow(/number of days/);
  });

  it('lets no mailbox reach a private network or the machine itself, unless it says so', async () => {
    const refusal = async (more: object, host: string) => {
      const { dial } = wire(readEnvironment({ ...GOOD, ...more }));
      // Nothing listens at port 1: whoever gets there is told so.
      const error = await failure<Pop3Error>(dial({ host, port: 1 }, AbortSignal.timeout(10_000)));
      return error.code;
    };
    const allowed = { MAILFERRY_PRIVATE_ADDRESSES: 'true' };
    expect(await refusal({}, '127.0.0.1')).toBe('E_POP3_ADDRESS_FORBIDDEN');
    expect(await refusal({}, 'localhost')).toBe('E_POP3_ADDRESS_FORBIDDEN');
    expect(await refusal(allowed, '127.0.0.1')).toBe('E_POP3_TCP_FAILED');
    expect(await refusal(allowed, '169.254.169.254')).toBe('E_POP3_ADDRESS_FORBIDDEN');
  });

  it('of dispatch needs no bus, and that of fetch the queue as well', () => {
    const queue = { MAILFERRY_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/000000000000/jobs.fifo' };
    const { MAILFERRY_BUS: _, ...withoutBus } = GOOD;
    expect(readDispatchEnvironment({ ...withoutBus, ...queue }).queueUrl).toBe(queue.MAILFERRY_QUEUE_URL);
    expect(readFetchEnvironment({ ...GOOD, ...queue })).toMatchObject({
      bus: 'mail',
      queueUrl: queue.MAILFERRY_QUEUE_URL,
    });
    expect(() => readFetchEnvironment(withoutBus)).toThrow(
      /2 problems\n.*BUS: is missing\n.*QUEUE_URL: is missing/,
    );
    expect(() => readDispatchEnvironment(GOOD)).toThrow('MAILFERRY_QUEUE_URL: is missing');
  });

  it('tells all its problems at once, and shows no value', () => {
    const wrong = {
      MAILFERRY_BUCKET: 'Not A Bucket',
      MAILFERRY_S3_ENDPOINT: 'ftp://user:hunter2@store',
      MAILFERRY_SECRETS_ENDPOINT: 'nowhere',
      MAILFERRY_PATH_STYLE: 'yes',
      MAILFERRY_PRIVATE_ADDRESSES: '10.0.0.0/8',
    };
    const read = () => readEnvironment(wrong);
    for (const name of Object.keys(wrong)) expect(read).toThrow(name);
    expect(read).toThrow('MAILFERRY_BUS: is missing');
    expect(read).toThrow('6 problems');
    expect(read).not.toThrow('hunter2');
  });
});
