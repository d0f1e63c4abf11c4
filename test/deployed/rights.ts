/** Who may do what: the whole list, by heart. A right that is added here is one to argue about. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type Fields, resolved, type Template } from './template.ts';

const LOGS = 'arn:aws:logs:REGION:ACCOUNT:log-group:/aws/lambda/mailferry-test';
const BUS = 'arn:aws:events:REGION:ACCOUNT:event-bus/Bus';
const SECRETS = 'arn:aws:secretsmanager:REGION:ACCOUNT:secret:mailferry/*';
const MAIL = 'arn:aws:s3:::MailBucket';
const OF_OURS = ' if {"StringEquals":{"events:source":"mailferry"}}';

const BY_DEFAULT: Readonly<Record<string, readonly string[]>> = {
  DispatchRole: [
    `logs:CreateLogStream ${LOGS}-dispatch:*`,
    `logs:PutLogEvents ${LOGS}-dispatch:*`,
    `s3:GetObject ${MAIL}/config/mailboxes.json`,
    `s3:ListBucket ${MAIL}`,
    'sqs:SendMessage Jobs.Arn',
    'sqs:SendMessage ScheduleDead.Arn',
  ],
  FetchRole: [
    `events:DescribeEventBus ${BUS}`,
    `events:PutEvents ${BUS}${OF_OURS}`,
    `logs:CreateLogStream ${LOGS}-fetch:*`,
    `logs:PutLogEvents ${LOGS}-fetch:*`,
    `s3:AbortMultipartUpload ${MAIL}/mail/*`,
    `s3:AbortMultipartUpload ${MAIL}/state/*`,
    `s3:DeleteObject ${MAIL}/state/*/*`,
    `s3:GetObject ${MAIL}/config/mailboxes.json`,
    `s3:GetObject ${MAIL}/mail/*`,
    `s3:GetObject ${MAIL}/state/*`,
    `s3:ListBucket ${MAIL}`,
    `s3:PutObject ${MAIL}/mail/*`,
    `s3:PutObject ${MAIL}/state/*`,
    `secretsmanager:GetSecretValue ${SECRETS}`,
    'sqs:ChangeMessageVisibility Jobs.Arn',
    'sqs:DeleteMessage Jobs.Arn',
    'sqs:GetQueueAttributes Jobs.Arn',
    'sqs:ReceiveMessage Jobs.Arn',
    'sqs:SendMessage Jobs.Arn',
  ],
  ParseRole: [
    `events:DescribeEventBus ${BUS}`,
    `events:PutEvents ${BUS}${OF_OURS}`,
    `logs:CreateLogStream ${LOGS}-parse:*`,
    `logs:PutLogEvents ${LOGS}-parse:*`,
    `s3:AbortMultipartUpload ${MAIL}/parsed/*`,
    `s3:GetObject ${MAIL}/mail/*`,
    `s3:GetObject ${MAIL}/parsed/*`,
    `s3:ListBucket ${MAIL}`,
    `s3:PutObject ${MAIL}/parsed/*`,
    'sqs:ChangeMessageVisibility ToParse.Arn',
    'sqs:DeleteMessage ToParse.Arn',
    'sqs:GetQueueAttributes ToParse.Arn',
    'sqs:ReceiveMessage ToParse.Arn',
  ],
  ScheduleRole: ['lambda:InvokeFunction DispatchLambdaFunction.Arn', 'sqs:SendMessage ScheduleDead.Arn'],
};

/** Beyond the above, by the parameters that give them. */
const WITH: readonly {
  readonly what: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly more: Readonly<Record<string, readonly string[]>>;
}[] = [
  {
    what: 'a key of theirs',
    parameters: { KmsKeyArn: 'KEY' },
    more: {
      DispatchRole: ['kms:Decrypt KEY'],
      FetchRole: ['kms:Decrypt KEY', 'kms:GenerateDataKey KEY'],
      ParseRole: ['kms:Decrypt KEY', 'kms:GenerateDataKey KEY'],
    },
  },
  {
    what: 'a retention of mail',
    parameters: { LockDays: '30' },
    more: { FetchRole: [`s3:PutObjectRetention ${MAIL}/mail/*`] },
  },
  {
    what: 'refresh tokens that are replaced at each use',
    parameters: { RotatesTokens: 'true' },
    more: { FetchRole: [`secretsmanager:PutSecretValue ${SECRETS}`] },
  },
];

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Fields;
}

/** Adds the tests; `packaged` is asked when they run. */
export function describeRights(packaged: () => Template): void {
  describe('rights', () => testRights(packaged));
}

function testRights(packaged: () => Template): void {
  const rights = (parameters: Readonly<Record<string, string>> = {}) => {
    const roles: Record<string, readonly string[]> = {};
    for (const [name, { Type, Properties }] of Object.entries(resolved(packaged(), parameters))) {
      if (Type !== 'AWS::IAM::Role') continue;
      const policies = Properties['Policies'] as unknown as readonly {
        PolicyDocument: { Statement: readonly Statement[] };
      }[];
      const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      roles[name] = statements.flatMap(eachRight).sort();
    }
    return roles;
  };

  it('are these, and no others', () => {
    expect(rights()).toEqual(BY_DEFAULT);
  });

  it.each(WITH)('are more with $what', ({ parameters, more }) => {
    const expected = Object.entries(BY_DEFAULT).map(([role, given]) => [
      role,
      [...given, ...(more[role] ?? [])].sort(),
    ]);
    expect(rights(parameters)).toEqual(Object.fromEntries(expected));
  });

  it('in the bucket are those that README names', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
    const named = [...readme.matchAll(/^\| (`s3:.*) \| (.*) \|$/gm)]
      .filter(([, actions]) => !actions?.includes('(the command)'))
      .flatMap(([, actions, keys]) =>
        quoted(actions).flatMap((action) => quoted(keys).map((key) => `${action} ${key}`)),
      );
    const { FetchRole = [], ParseRole = [] } = BY_DEFAULT;
    const given = [...FetchRole, ...ParseRole]
      .filter((right) => right.includes(` ${MAIL}/`))
      .map((right) => right.replace(`${MAIL}/`, ''));
    expect(named.sort()).toEqual([...new Set(given)].sort());
  });

  it('have no action with a wildcard, and no resource that is one', () => {
    const all = Object.values(rights({ KmsKeyArn: 'KEY', RotatesTokens: 'true' })).flat();
    expect(all.length).toBeGreaterThan(40);
    expect(all.filter((right) => /^\S*\*/.test(right) || / \*/.test(right))).toEqual([]);
    // A name may be open behind its first part: keys below a prefix, streams of a log group, secrets of a prefix.
    expect(all.filter((right) => /\*/.test(right) && !/^\S+ arn:[^*]*[:/]\*(\/\*)?$/.test(right))).toEqual(
      [],
    );
  });

  it('come from AWS’s own list in a VPC, where network interfaces have no names, and only there', () => {
    const managed = (parameters: Readonly<Record<string, string>>) =>
      Object.entries(resolved(packaged(), parameters)).flatMap(([name, { Properties }]) => {
        const policies = Properties['ManagedPolicyArns'];
        return policies === undefined ? [] : [[name, policies]];
      });
    expect(managed({})).toEqual([]);
    expect(managed({ Subnets: 'subnet-1,subnet-2', SecurityGroups: 'sg-1' })).toEqual([
      ['FetchRole', ['arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole']],
    ]);
    const inside = resolved(packaged(), { Subnets: 'subnet-1,subnet-2', SecurityGroups: 'sg-1' });
    expect(inside['FetchLambdaFunction']?.Properties['VpcConfig']).toEqual({
      SubnetIds: ['subnet-1', 'subnet-2'],
      SecurityGroupIds: ['sg-1'],
    });
  });

  it('let nobody take a role but the service it is for', () => {
    const all = resolved(packaged());
    const takers = Object.entries(all).flatMap(([name, { Type, Properties }]) =>
      Type === 'AWS::IAM::Role' ? [[name, JSON.stringify(Properties['AssumeRolePolicyDocument'])]] : [],
    );
    for (const [name, document] of takers) {
      const taker = name === 'ScheduleRole' ? 'scheduler' : 'lambda';
      expect(document).toContain(
        `"Principal":{"Service":"${taker}.amazonaws.com"},"Action":"sts:AssumeRole"`,
      );
    }
  });
}

function eachRight({ Effect, Action, Resource, Condition }: Statement): readonly string[] {
  expect(Effect).toBe('Allow');
  const condition = Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`;
  return [Action]
    .flat()
    .flatMap((action) => [Resource].flat().map((resource) => `${action} ${resource}${condition}`));
}
