import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../functions/environment.ts';
import { wire } from '../../functions/wiring.ts';

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
    });
  });

  it('tells all its problems at once, and shows no value', () => {
    const wrong = {
      MAILFERRY_BUCKET: 'Not A Bucket',
      MAILFERRY_S3_ENDPOINT: 'ftp://user:hunter2@store',
      MAILFERRY_SECRETS_ENDPOINT: 'nowhere',
      MAILFERRY_PATH_STYLE: 'yes',
    };
    const read = () => readEnvironment(wrong);
    for (const name of Object.keys(wrong)) expect(read).toThrow(name);
    expect(read).toThrow('MAILFERRY_BUS: is missing');
    expect(read).toThrow('5 problems');
    expect(read).not.toThrow('hunter2');
  });
});
