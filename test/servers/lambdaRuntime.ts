/**
 * One sandbox of a Lambda function: the bundled handler under AWS's own runtime client, in a process with
 * Lambda's environment, one event at a time, killed at the deadline, started anew after it died. It limits no
 * memory, keeps the disk writable, and starts the process when the first event comes.
 */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type HandlerError, startRuntimeApi } from './runtimeApi.ts';
import { end, spawnTied } from './tied.ts';

/** Lambda allows 10 s for loading the function; a busy test machine gets three times that. */
const INIT_MS = 30_000;

/** What is kept of the processes' output, characters. */
const MAX_LOG = 1_000_000;

const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:test';

export interface RuntimeOptions {
  /** The runtime client's entry, as the suite's installer found it (MAILFERRY_RIC). */
  readonly client: string;
  /** The folder with the function's code. */
  readonly taskRoot: string;
  /** For example "index.handler". */
  readonly handler: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** What the function is told it has; 512 by default. */
  readonly memoryMb?: number;
}

export type Ending =
  | { readonly result: unknown }
  | { readonly error: HandlerError }
  /** Its process ended: at the deadline, or by itself or by somebody's signal. */
  | { readonly killed: 'deadline' | 'exit'; readonly code: number | null; readonly signal: string | null };

/** `peakBytes`: the process's peak resident memory so far; undefined when it was gone before it could be read. */
export type Outcome = Ending & { readonly peakBytes: number | undefined };

export interface Sandbox<O extends Ending = Ending> {
  /** One at a time. */
  invoke(event: unknown): Promise<O>;
  stop(): Promise<void>;
  /** The last of what all its processes wrote to stdout and stderr. */
  readonly log: string;
}

/** `invoke` rejects while another is under way. */
export interface Runtime extends Sandbox<Outcome> {
  /** SIGKILL, as when the sandbox is lost; the event under way resolves as killed. */
  kill(): Promise<void>;
  /** Of the process that runs, if one does. */
  readonly pid: number | undefined;
  /** How many processes were started so far. */
  readonly starts: number;
}

export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  let child: ChildProcess | undefined;
  let pending: { readonly requestId: string; readonly settle: (ending: Ending) => void } | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let killed: 'deadline' | 'exit' = 'exit';
  let initError: HandlerError | undefined;
  let starts = 0;
  let log = '';

  const settle = (ending: Ending) => {
    clearTimeout(deadline);
    const current = pending;
    pending = undefined;
    current?.settle(ending);
  };
  const killIn = (limitMs: number) => {
    clearTimeout(deadline);
    deadline = setTimeout(() => {
      killed = 'deadline';
      child?.kill('SIGKILL');
    }, limitMs);
  };
  const api = await startRuntimeApi({
    response: (id, result) => id === pending?.requestId && settle({ result }),
    failure: (id, error) => id === pending?.requestId && settle({ error }),
    initFailure: (error) => {
      initError = error;
    },
  });

  const launch = () => {
    starts += 1;
    killed = 'exit';
    initError = undefined;
    const started = startProcess(options, api.address, (text) => {
      log = (log + text).slice(-MAX_LOG);
    });
    // 'close' comes after the last of the output, so that `log` is whole when the event settles.
    started.on('close', (code, signal) => {
      child = undefined;
      api.reset();
      settle(initError ? { error: initError } : { killed, code, signal });
    });
    child = started;
    killIn(INIT_MS);
  };

  const invoke = (event: unknown, settled: (outcome: Outcome) => void) => {
    const requestId = randomUUID();
    const peak = samplePeak(() => child?.pid);
    pending = { requestId, settle: (ending) => settled({ ...ending, peakBytes: peak.stop() }) };
    if (!child) launch();
    api.offer({
      requestId,
      event,
      functionArn: FUNCTION_ARN,
      begin() {
        killIn(options.timeoutMs);
        return Date.now() + options.timeoutMs;
      },
    });
  };
  const kill = async () => {
    if (child) await end(child, 'SIGKILL');
  };

  return {
    invoke: async (event) => {
      if (pending) throw new Error('This sandbox is busy; a second event at once needs a second runtime.');
      return new Promise((resolve) => invoke(event, resolve));
    },
    kill,
    async stop() {
      await kill();
      clearTimeout(deadline);
      await api.close();
    },
    get pid() {
      return child?.pid;
    },
    get starts() {
      return starts;
    },
    get log() {
      return log;
    },
  };
}

function startProcess(
  options: RuntimeOptions,
  address: string,
  output: (text: string) => void,
): ChildProcess {
  const child = spawnTied([process.execPath, options.client, options.handler], 'KILL', {
    cwd: options.taskRoot,
    env: { ...lambdaEnvironment(options, address), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', output);
  return child;
}

/** What Lambda sets for every function, and nothing of ours: a test that needs more passes it. */
export function lambdaEnvironment(options: RuntimeOptions, address: string): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    _HANDLER: options.handler,
    LAMBDA_TASK_ROOT: options.taskRoot,
    AWS_LAMBDA_RUNTIME_API: address,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: 'test',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memoryMb ?? 512),
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/test',
    AWS_LAMBDA_LOG_STREAM_NAME: 'test',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
  };
}

/** The kernel keeps the peak, but only while the process lives: it is read now and then, and once more at the end. */
function samplePeak(pid: () => number | undefined): { readonly stop: () => number | undefined } {
  let peak: number | undefined;
  const read = () => {
    try {
      const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid()}/status`, 'latin1')) ?? [];
      if (kib) peak = Number(kib) * 1024;
    } catch {
      // Gone, or not there yet.
    }
  };
  const timer = setInterval(read, 100);
  return {
    stop() {
      clearInterval(timer);
      read();
      return peak;
    },
  };
}
