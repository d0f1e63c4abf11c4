/** What a person may choose, and what comes of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Service } from './service.ts';
import { type Fields, readTemplate, resolved, type Template } from './template.ts';

/** Two seconds; on a machine with much else to do, thirty times that. */
const PACKAGE_MS = 120_000;

/** Adds the tests, which package anew: after all that read the template. `staged` is asked when they run. */
export function describeParameters(staged: () => Service): void {
  describe('parameters', () => testParameters(staged));
}

function testParameters(staged: () => Service): void {
  let service: Service;
  let template: Template;
  beforeAll(async () => {
    service = staged();
    template = await readTemplate(service.folder);
  });

  it('has no parameter that does nothing', async () => {
    const files = [
      'serverless.yml',
      ...(await readdir(join(service.folder, 'infra'))).map((name) => `infra/${name}`),
    ];
    const texts = await Promise.all(files.map((file) => readFile(join(service.folder, file), 'utf8')));
    const { params } = parse(texts[0] ?? '', { logLevel: 'silent' }) as { params: { default: Fields } };
    expect(Object.keys(params.default).length).toBeGreaterThan(20);
    const used = texts.join('\n');
    expect(Object.keys(params.default).filter((name) => !used.includes(`\${param:${name}}`))).toEqual([]);
  });

  it.each([
    ['BusName', ['', 'default', 'their.bus-1/x'], ['arn:aws:events:eu-central-1:111122223333:event-bus/x']],
    [
      'KmsKeyArn',
      ['', 'arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab'],
      ['arn:aws:kms:eu-central-1:111122223333:alias/mail', '1234abcd-12ab'],
    ],
    ['AlarmTopicArn', ['', 'arn:aws-us-gov:sns:us-gov-west-1:111122223333:ops'], ['ops']],
    ['Subnets', ['', 'subnet-0a1b', 'subnet-0a1b,subnet-2c3d'], ['subnet-0a1b, subnet-2c3d', 'sg-0a1b']],
    ['SecurityGroups', ['', 'sg-0a1b,sg-2c3d'], ['subnet-0a1b']],
  ])('refuses at once what %s cannot be, in words', (name, good, bad) => {
    const { AllowedPattern = '', ConstraintDescription } = template.Parameters[name] ?? {};
    expect(ConstraintDescription).toMatch(/ (is|are) /);
    // CloudFormation matches the whole value.
    const matches = (value: string) => new RegExp(`^(?:${AllowedPattern})$`).test(value);
    expect([good.map(matches), bad.map(matches)]).toEqual([good.map(() => true), bad.map(() => false)]);
  });

  it(
    'takes numbers as the command line gives them, and suspends no versions where they are locked',
    async () => {
      const given = [
        'lockDays=31',
        'versioning=Suspended',
        'fetchConcurrency=37',
        'fetchMemory=1024',
        'archiveDays=7',
        'logDays=14',
        'successAge=3600',
      ];
      await service.osls(['package', ...given.flatMap((each) => ['--param', each])]);
      const made = await readTemplate(service.folder);
      const of = (name: string, parameters = {}) => resolved(made, parameters)[name]?.Properties ?? {};
      expect(of('FetchLambdaFunction')['MemorySize']).toBe(1024);
      expect(of('FetchLogGroup')['RetentionInDays']).toBe(14);
      expect(of('FetchEventSourceMappingSQSJobs')['ScalingConfig']).toEqual({ MaximumConcurrency: 37 });
      expect(of('MailBucket')['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
      expect(of('MailBucket', { LockDays: '0' })['VersioningConfiguration']).toEqual({ Status: 'Suspended' });
    },
    PACKAGE_MS,
  );
}
