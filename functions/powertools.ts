/** Lines as JSON and figures in CloudWatch's embedded format, both on stdout, by AWS's own library. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { FIGURES, type Telemetry } from './telemetry.ts';

const NAMESPACE = 'Mailferry';

export interface Observed {
  readonly telemetry: Telemetry;
  /** For middy: what Lambda knows of the invocation goes into each line, and the figures out at its end. */
  readonly middlewares: readonly [
    ReturnType<typeof injectLambdaContext>,
    ReturnType<typeof logMetrics>,
    WithoutDimensions,
  ];
}

interface WithoutDimensions {
  readonly before: () => void;
}

/** `serviceName`: the one dimension of the figures, to tell deployments apart; without it they have none. */
export function observed(serviceName: string | undefined): Observed {
  const logger = new Logger({ serviceName: serviceName ?? 'mailferry' });
  const metrics = new Metrics({ namespace: NAMESPACE, serviceName: serviceName ?? 'mailferry' });
  if (serviceName === undefined) metrics.clearDefaultDimensions();
  const telemetry: Telemetry = {
    log: (level, message, fields) => logger[level](message, { ...fields }),
    count: (figure, value) => metrics.addMetric(figure, FIGURES[figure], value),
  };
  // An empty set is a metric without dimensions; no set at all would be no metric. Each flush takes it away.
  const without = { before: () => void (serviceName === undefined && metrics.addDimensions({})) };
  return { telemetry, middlewares: [injectLambdaContext(logger), logMetrics(metrics), without] };
}
