/** What rings, and what is shown: each says what to do, holds while what it is about lasts, and is about what there is. */
import { beforeAll, describe, expect, it } from 'vitest';
import { FIGURES } from '../../functions/telemetry.ts';
import { type Fields, type Resource, resolved, type Template } from './template.ts';

/** Adds the tests; `packaged` is asked when they run. */
export function describeAlarms(packaged: () => Template): void {
  describe('what is watched', () => testAlarms(packaged));
}

function testAlarms(packaged: () => Template): void {
  let all: Readonly<Record<string, Resource>>;
  beforeAll(() => {
    all = resolved(packaged());
  });
  const one = (name: string): Fields => all[name]?.Properties ?? {};
  const alarms = (): readonly Fields[] =>
    Object.values(all).flatMap(({ Type, Properties }) =>
      Type === 'AWS::CloudWatch::Alarm' ? [Properties] : [],
    );

  it('rings for what waits in a queue long before the queue gives it up', () => {
    const waiting = alarms().filter(({ MetricName }) => MetricName === 'ApproximateAgeOfOldestMessage');
    for (const name of ['Jobs', 'ToParse']) {
      const alarm = waiting.find(({ Dimensions }) =>
        JSON.stringify(Dimensions).includes(`"${name}.QueueName"`),
      );
      expect(Number(alarm?.['Threshold']), name).toBeLessThan(
        Number(one(name)['MessageRetentionPeriod']) / 3,
      );
    }
  });

  it('says in each alarm what to do, and tells somebody', () => {
    expect(alarms().length).toBeGreaterThanOrEqual(20);
    for (const alarm of alarms()) {
      const words = String(alarm['AlarmDescription']);
      expect(words).toMatch(/\b(Check|See|Find|Ask|raise|redrive|retry|status|mend)\b/);
      // What happened, then the step: two sentences at least.
      expect(words.split(/[.;:] /).length, words).toBeGreaterThan(1);
      expect(alarm['AlarmActions']).toEqual(['AlarmTopic']);
      expect(alarm['TreatMissingData'], words).toBeDefined();
    }
  });

  it('has an alarm before each timeout, and one for each metric of ours in the dimension that functions use', () => {
    for (const name of ['Dispatch', 'Fetch', 'Parse']) {
      const limitMs = Number(one(`${name}LambdaFunction`)['Timeout']) * 1000;
      const threshold = Number(one(`${name}DurationAlarm`)['Threshold']);
      expect(threshold).toBeLessThan(limitMs);
      expect(threshold).toBeGreaterThan(limitMs * 0.8);
    }
    const ours = alarms().filter(({ Namespace }) => Namespace === 'Mailferry');
    expect(ours.map(({ MetricName }) => MetricName).sort()).toEqual(
      [
        'MailboxesBroken',
        'MailboxesFailing',
        'MessagesSetAside',
        'OldestSuccessAgeSeconds',
        'RunsFailed',
        'Throttles',
      ].sort(),
    );
    const { Variables } = one('FetchLambdaFunction')['Environment'] as { Variables: Fields };
    for (const { Dimensions } of ours)
      expect(Dimensions).toEqual([{ Name: 'service', Value: Variables['POWERTOOLS_SERVICE_NAME'] }]);
  });

  it('rings once for what lasts: between two polls of a mailbox no alarm on it ends', () => {
    const lasting = alarms().filter(({ MetricName }) =>
      ['MailboxesFailing', 'OldestSuccessAgeSeconds', 'MessagesSetAside'].includes(String(MetricName)),
    );
    expect(lasting).toHaveLength(3);
    // A period without a figure, or with only those of healthy mailboxes, counts as good.
    for (const { EvaluationPeriods, DatapointsToAlarm, Period, Statistic } of lasting) {
      expect([DatapointsToAlarm, Statistic]).toEqual([1, 'Maximum']);
      expect(Number(EvaluationPeriods) * Number(Period)).toBe(3600);
    }
  });

  it('has a dashboard that is JSON, of figures that are told and of queues and functions that are made', () => {
    const body = JSON.parse(String(one('Dashboard')['DashboardBody'])) as {
      widgets: readonly {
        x: number;
        width: number;
        properties: { metrics: readonly (readonly string[])[] };
      }[];
    };
    const shown = body.widgets.flatMap(({ properties }) => properties.metrics);
    expect(shown.length).toBeGreaterThan(15);
    for (const { x, width } of body.widgets) expect(x + width).toBeLessThanOrEqual(24);
    for (const [namespace = '', metric = '', dimension, value = ''] of shown) {
      expect(['Mailferry service', 'AWS/SQS QueueName', 'AWS/Lambda FunctionName']).toContain(
        `${namespace} ${dimension}`,
      );
      if (namespace === 'Mailferry')
        expect([Object.keys(FIGURES).includes(metric), value]).toEqual([true, 'mailferry-test']);
      else expect(all[value.replace(/\.QueueName$/, '')], value).toBeDefined();
    }
  });

  it('looks back no longer than CloudWatch lets an alarm', () => {
    for (const { AlarmName, Period, EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods } of alarms()) {
      expect(Number(Period) * Number(EvaluationPeriods), String(AlarmName)).toBeLessThanOrEqual(86_400);
      expect(Number(DatapointsToAlarm), String(AlarmName)).toBeLessThanOrEqual(Number(EvaluationPeriods));
    }
  });
}
