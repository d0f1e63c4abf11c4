/** The packaged template as AWS would judge it, and what an operator relies on in it. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zipFunctions } from '../../scripts/functionsZip.ts';
import { describeAlarms } from './alarms.ts';
import { describeParameters } from './parameters.ts';
import { describeRights } from './rights.ts';
import { type Service, stageService } from './service.ts';
import {
  type Fields,
  type Resource,
  readTemplate,
  resolved,
  TEMPLATE_FILE,
  type Template,
} from './template.ts';

const osls = process.env['MAILFERRY_OSLS'];
const lint = process.env['MAILFERRY_CFN_LINT'];
const title = osls
  ? 'the packaged template'
  : 'the packaged template, skipped: osls is not there (MAILFERRY_OSLS)';

/** Two seconds; on a machine with much else to do, thirty times that. */
const PACKAGE_MS = 120_000;

describe.skipIf(!osls)(title, () => {
  let service: Service;
  let template: Template;
  let all: Readonly<Record<string, Resource>>;

  beforeAll(async () => {
    service = await stageService(osls ?? '');
    await service.osls(['package']);
    template = await readTemplate(service.folder);
    all = resolved(template);
  }, PACKAGE_MS);
  afterAll(() => service?.remove());

  const ofType = (type: string) =>
    Object.entries(all)
      .filter(([, { Type }]) => Type === type)
      .map(([name, { Properties }]) => ({ name, properties: Properties }));
  const one = (name: string): Fields => {
    const found = all[name];
    if (found === undefined) throw new Error(`the template has no ${name}`);
    return found.Properties;
  };
  const alarms = () => ofType('AWS::CloudWatch::Alarm').map(({ properties }) => properties);

  it.skipIf(!lint)(
    lint ? 'has no error by cfn-lint' : 'has no error by cfn-lint, skipped: MAILFERRY_CFN_LINT is not set',
    async () => {
      // Its own script names the folder that it was installed in before that was renamed.
      const main = 'from cfnlint.runner import main; main()';
      const args = ['-c', main, '--format', 'json', join(service.folder, TEMPLATE_FILE)];
      const found = await new Promise<string>((resolve) => {
        execFile(lint ?? '', args, (_error, stdout) => resolve(stdout));
      });
      const matches = JSON.parse(found) as readonly {
        Level: string;
        Message: string;
        Rule: { Id: string };
      }[];
      expect(matches.filter(({ Level }) => Level === 'Error').map((match) => match.Message)).toEqual([]);
      // What osls itself writes, and that an empty parameter is no subnet or security group.
      expect([...new Set(matches.map(({ Rule }) => Rule.Id))].sort()).toEqual(['W1033', 'W3005']);
    },
  );

  it('gives every queue a dead-letter queue or an alarm for being one, encrypts it and bounds what it keeps', () => {
    const queues = ofType('AWS::SQS::Queue');
    const dead = new Set<string>();
    for (const { properties } of queues) {
      const redrive = properties['RedrivePolicy'] as Fields | undefined;
      if (redrive !== undefined) dead.add(String(redrive['deadLetterTargetArn']).replace('.Arn', ''));
    }
    const schedule = one('EachMinute')['Target'] as { DeadLetterConfig: { Arn: string } };
    const [target] = one('MessageStored')['Targets'] as unknown as { DeadLetterConfig: { Arn: string } }[];
    for (const { DeadLetterConfig } of [schedule, target!])
      dead.add(DeadLetterConfig.Arn.replace('.Arn', ''));
    expect([...dead].sort()).toEqual(['JobsDead', 'RuleDead', 'ScheduleDead', 'ToParseDead']);

    const watched = alarms().map(
      ({ Dimensions, MetricName }) => `${MetricName} ${JSON.stringify(Dimensions)}`,
    );
    for (const { name, properties } of queues) {
      expect(properties['SqsManagedSseEnabled'], name).toBe(true);
      expect(properties['MessageRetentionPeriod'], name).toEqual(expect.any(Number));
      if (dead.has(name)) {
        const alarm = `ApproximateNumberOfMessagesVisible ${JSON.stringify([{ Name: 'QueueName', Value: `${name}.QueueName` }])}`;
        expect(watched, name).toContain(alarm);
        expect(properties['MessageRetentionPeriod'], name).toBe(14 * 24 * 3600);
      } else {
        expect(properties['RedrivePolicy'], name).toBeDefined();
      }
    }
  });

  it('lets the rule, and nothing else, send to the queues that it names, by one policy a queue', () => {
    const statements = ofType('AWS::SQS::QueuePolicy').map(({ properties }) => {
      const { Statement } = properties['PolicyDocument'] as { Statement: readonly Fields[] };
      const [statement] = Statement;
      expect(Statement).toHaveLength(1);
      expect([statement?.['Action'], statement?.['Condition']]).toEqual([
        'sqs:SendMessage',
        { ArnEquals: { 'aws:SourceArn': 'MessageStored.Arn' } },
      ]);
      // SQS Developer Guide: a policy must cover one queue only.
      expect(properties['Queues']).toEqual([String(statement?.['Resource']).replace('.Arn', '')]);
      return statement?.['Resource'];
    });
    const [target] = one('MessageStored')['Targets'] as unknown as {
      Arn: string;
      DeadLetterConfig: { Arn: string };
    }[];
    expect(statements.sort()).toEqual([target?.DeadLetterConfig.Arn, target?.Arn].sort());
  });

  it('gives a first-in-first-out queue a dead-letter queue of its kind, and tries a job within what the queue keeps', () => {
    expect([one('Jobs')['FifoQueue'], one('JobsDead')['FifoQueue']]).toEqual([true, true]);
    const { maxReceiveCount } = one('Jobs')['RedrivePolicy'] as { maxReceiveCount: number };
    expect(Number(one('Jobs')['MessageRetentionPeriod'])).toBeGreaterThan(
      maxReceiveCount * Number(one('Jobs')['VisibilityTimeout']),
    );
  });

  it('hides a message for six timeouts of the function that has it', () => {
    const mappings = ofType('AWS::Lambda::EventSourceMapping').map(({ properties }) => properties);
    expect(mappings).toHaveLength(2);
    for (const mapping of mappings) {
      const timeout = Number(one(String(mapping['FunctionName']).replace('.Arn', ''))['Timeout']);
      const queue = one(String(mapping['EventSourceArn']).replace('.Arn', ''));
      expect(Number(queue['VisibilityTimeout'])).toBeGreaterThanOrEqual(6 * timeout);
      expect(mapping['FunctionResponseTypes']).toEqual(['ReportBatchItemFailures']);
    }
    // Without a bound the queue is emptied into functions that the account does not have.
    expect(mappings.map(({ ScalingConfig }) => ScalingConfig)).toEqual([
      { MaximumConcurrency: 20 },
      { MaximumConcurrency: 20 },
    ]);
    const fetching = mappings.find(({ EventSourceArn }) => EventSourceArn === 'Jobs.Arn');
    expect(fetching?.['BatchSize']).toBe(1);
  });

  it('runs every function on Node 24 on arm64 under a role of its own, and keeps its log for a time', () => {
    const functions = ofType('AWS::Lambda::Function');
    expect(functions.map(({ name }) => name.replace('LambdaFunction', ''))).toEqual([
      'Dispatch',
      'Fetch',
      'Parse',
    ]);
    for (const { name, properties } of functions) {
      expect([properties['Runtime'], properties['Architectures']], name).toEqual(['nodejs24.x', ['arm64']]);
      expect(properties['Role']).toBe(`${name.replace('LambdaFunction', '')}Role.Arn`);
      expect(one(name.replace('LambdaFunction', 'LogGroup'))['RetentionInDays'], name).toBe(30);
    }
  });

  it('shuts the bucket to the public and to lists of access, encrypts it and clears up unfinished uploads', () => {
    const bucket = one('MailBucket');
    expect(bucket['PublicAccessBlockConfiguration']).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    expect(bucket['OwnershipControls']).toEqual({ Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] });
    expect(bucket['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
    expect(bucket['ObjectLockEnabled']).toBeUndefined();
    expect(JSON.stringify(bucket['LifecycleConfiguration'])).toContain('{"DaysAfterInitiation":1}');
    expect(JSON.stringify(bucket['BucketEncryption'])).toContain('"SSEAlgorithm":"AES256"');
  });

  it('keeps the bucket and its policy whatever becomes of the stack, except in a deployment that fails while it makes them', () => {
    for (const name of ['MailBucket', 'MailBucketPolicy'])
      expect([all[name]?.DeletionPolicy, all[name]?.UpdateReplacePolicy], name).toEqual([
        // The name is fixed: what a failed deployment left behind would stop each one after it.
        'RetainExceptOnCreate',
        'Retain',
      ]);
  });

  it('takes a key and a lock for the bucket, and leaves a bucket, bus and topic of theirs alone', () => {
    const locked = resolved(template, { KmsKeyArn: 'KEY', LockDays: '30' })['MailBucket']?.Properties;
    expect(locked?.['BucketEncryption']).toEqual({
      ServerSideEncryptionConfiguration: [
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'KEY' },
        },
      ],
    });
    expect(locked?.['ObjectLockEnabled']).toBe(true);
    // Each mail has its own; a default would hold every version of the state as long.
    expect(locked?.['ObjectLockConfiguration']).toBeUndefined();
    const theirs = resolved(template, { BucketName: 'theirs', BusName: 'theirs', AlarmTopicArn: 'TOPIC' });
    for (const name of ['MailBucket', 'MailBucketPolicy', 'Bus', 'AlarmTopic'])
      expect(theirs[name], name).toBeUndefined();
    expect(theirs['FetchLambdaFunction']?.Properties['Environment']).toMatchObject({
      Variables: { MAILFERRY_BUCKET: 'theirs', MAILFERRY_BUS: 'theirs' },
    });
    expect(theirs['JobsDeadAlarm']?.Properties['AlarmActions']).toEqual(['TOPIC']);
  });

  it('refuses whatever is not over TLS 1.2, and what would overwrite mail or unread state', () => {
    const { Statement } = one('MailBucketPolicy')['PolicyDocument'] as unknown as {
      Statement: readonly Fields[];
    };
    const everything = ['MailBucket.Arn', 'MailBucket.Arn/*'];
    const refused = { Effect: 'Deny', Principal: '*' };
    expect(Statement.map(({ Sid: _, ...statement }) => statement)).toEqual([
      {
        ...refused,
        Action: 's3:*',
        Resource: everything,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
      {
        ...refused,
        Action: 's3:*',
        Resource: everything,
        Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } },
      },
      {
        ...refused,
        Action: 's3:PutObject',
        Resource: 'MailBucket.Arn/mail/*',
        Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
      },
      {
        ...refused,
        Action: 's3:PutObject',
        Resource: 'MailBucket.Arn/state/*',
        Condition: {
          Null: { 's3:if-none-match': 'true', 's3:if-match': 'true' },
          Bool: { 's3:ObjectCreationOperation': 'true' },
        },
      },
    ]);
  });

  it('calls dispatch each minute of the clock with the minute, and not long after it', () => {
    const schedule = one('EachMinute');
    expect(schedule['ScheduleExpression']).toBe('cron(* * * * ? *)');
    const target = schedule['Target'] as { Input: string; RetryPolicy: Fields };
    expect(JSON.parse(target.Input)).toEqual({ time: '<aws.scheduler.scheduled-time>' });
    const onceMore = one('DispatchAgain');
    for (const age of [target.RetryPolicy['MaximumEventAgeInSeconds'], onceMore['MaximumEventAgeInSeconds']])
      expect(age).toBe(240);
    expect(onceMore['DestinationConfig']).toEqual({ OnFailure: { Destination: 'ScheduleDead.Arn' } });
  });

  it('has every handler in its zip, readable by anybody, without source maps, and the same bytes for the same code', async () => {
    const zip = await readFile(join(service.folder, 'dist', 'functions.zip'));
    const files = Object.keys(unzipSync(zip));
    for (const { name, properties } of ofType('AWS::Lambda::Function'))
      expect(files, name).toContain(String(properties['Handler']).replace(/\.handler$/, '.js'));
    expect(files.filter((file) => file.endsWith('.map'))).toEqual([]);
    expect(modesOf(zip)).toEqual(files.map(() => 0o100_644));
    const again = join(service.folder, 'again.zip');
    await zipFunctions(join(service.folder, 'dist', 'functions'), again);
    expect((await readFile(again)).equals(zip)).toBe(true);
  });

  it('keeps the events for a month', () => {
    expect(one('Archive')).toMatchObject({ RetentionDays: 30, EventPattern: { source: ['mailferry'] } });
  });

  describeRights(() => template);
  describeAlarms(() => template);
  describeParameters(() => service);
});

/** The modes of a zip's files, from its central directory (APPNOTE.TXT, 4.3.12). */
function modesOf(zip: Buffer): readonly number[] {
  const modes: number[] = [];
  const header = Buffer.from('PK\x01\x02', 'latin1');
  for (let at = zip.indexOf(header); at !== -1; at = zip.indexOf(header, at + 1)) {
    modes.push(zip.readUInt32LE(at + 38) >>> 16);
  }
  return modes;
}
