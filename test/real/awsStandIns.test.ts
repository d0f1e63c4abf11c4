/** The stand-ins of EventBridge and Secrets Manager, seen through AWS's own clients. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeEventBusCommand, EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BusSink, startBusSink } from '../servers/busSink.ts';
import { startSecretVault } from '../servers/secretVault.ts';

const settings = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
};

describe('the bus sink', () => {
  let folder: string;
  let sink: BusSink;
  let client: EventBridgeClient;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bus-'));
    sink = await startBusSink({ buses: ['mail'], file: join(folder, 'events.ndjson') });
    client = new EventBridgeClient({ ...settings, endpoint: sink.endpoint });
  });
  afterEach(async () => {
    client.destroy();
    await sink.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const entry = (number: number, over: object = {}) => ({
    EventBusName: 'mail',
    Source: 'mailferry',
    DetailType: 'Message Stored',
    Detail: JSON.stringify({ number }),
    ...over,
  });
  const put = (...entries: object[]) => client.send(new PutEventsCommand({ Entries: entries }));

  it('keeps accepted events, in memory and on disk', async () => {
    const { Entries, FailedEntryCount } = await put(entry(1), entry(2));
    expect(FailedEntryCount).toBe(0);
    expect(sink.accepted.map(({ EventId }) => EventId)).toEqual(Entries?.map(({ EventId }) => EventId));
    const rows = (await readFile(join(folder, 'events.ndjson'), 'utf8')).trim().split('\n');
    expect(rows.map((row) => JSON.parse(row))).toEqual(sink.accepted);
  });

  it('gives success for a bus that does not exist, and keeps nothing, as EventBridge does', async () => {
    const { FailedEntryCount, Entries } = await put(entry(1, { EventBusName: 'nobody' }));
    expect(FailedEntryCount).toBe(0);
    expect(Entries?.[0]?.EventId).toBeDefined();
    expect(sink.accepted).toEqual([]);
    expect(sink.vanished).toHaveLength(1);
    await expect(client.send(new DescribeEventBusCommand({ Name: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    const { Arn } = await client.send(new DescribeEventBusCommand({ Name: 'mail' }));
    expect(Arn).toMatch(/^arn:aws:events:.*event-bus\/mail$/);
  });

  it('refuses single entries by fault and by form, and accepts their neighbours', async () => {
    sink.faults.push((_, index) =>
      index === 1 ? { code: 'ThrottlingException', message: 'slow down' } : undefined,
    );
    const answer = await put(
      entry(1),
      entry(2),
      entry(3, { Source: 'aws.s3' }),
      entry(4, { Detail: '{' }),
      entry(5),
    );
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'ThrottlingException',
      'NotAuthorizedForSourceException',
      'MalformedDetail',
      undefined,
    ]);
    expect(answer.FailedEntryCount).toBe(3);
    expect(sink.accepted.map(({ Detail }) => Detail)).toEqual(['{"number":1}', '{"number":5}']);
  });

  it('refuses whole calls: too many entries, too many bytes, a fault of the test', async () => {
    const eleven = Array.from({ length: 11 }, (_, number) => entry(number));
    await expect(put(...eleven)).rejects.toMatchObject({ name: 'ValidationException' });
    const big = entry(1, { Detail: JSON.stringify('x'.repeat(130_000)) });
    await expect(put(big, big, big)).rejects.toMatchObject({ name: 'ValidationException' });
    sink.faults.push({ status: 503, type: 'ServiceUnavailable' });
    await expect(put(entry(1))).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    expect(sink.accepted).toEqual([]);
  });

  it('loses an answer with or without having accepted', async () => {
    sink.faults.push('lost', 'dropped');
    await expect(put(entry(1))).rejects.toThrow();
    await expect(put(entry(2))).rejects.toThrow();
    expect(sink.accepted.map(({ Detail }) => Detail)).toEqual(['{"number":1}']);
    expect(sink.calls.PutEvents).toBe(2);
  });
});

describe('the secret vault', () => {
  it('gives, rotates and refuses', async () => {
    const vault = await startSecretVault({ mail: '{"a":"one"}' });
    const client = new SecretsManagerClient({ ...settings, endpoint: vault.endpoint });
    const read = async (id: string) =>
      (await client.send(new GetSecretValueCommand({ SecretId: id }))).SecretString;
    try {
      expect(await read('mail')).toBe('{"a":"one"}');
      vault.secrets.set('mail', '{"a":"two"}');
      expect(await read('arn:aws:secretsmanager:us-east-1:000000000000:secret:mail')).toBe('{"a":"two"}');
      await expect(read('none')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
      vault.faults.push({ status: 400, type: 'AccessDeniedException' });
      await expect(read('mail')).rejects.toMatchObject({ name: 'AccessDeniedException' });
      expect(vault.reads).toHaveLength(4);
    } finally {
      client.destroy();
      await vault.stop();
    }
  });
});
