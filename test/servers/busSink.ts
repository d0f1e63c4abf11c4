/**
 * A stand-in for EventBridge: it answers PutEvents and DescribeEventBus over AWS's own protocol and keeps what
 * it accepted. It is not the bus: it has no rules, targets, archive, permissions, throttling or signature check,
 * and what it accepts is delivered to nobody. Where it says no, it says so in EventBridge's words.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { AwsJsonError, LOST, startAwsJson } from './awsJson.ts';

export interface BusEntry {
  readonly EventBusName?: string;
  readonly Source?: string;
  readonly DetailType?: string;
  /** JSON. */
  readonly Detail?: string;
  readonly Resources?: readonly string[];
  readonly Time?: number;
}

export interface AcceptedEvent extends BusEntry {
  /** The bus's own id of the acceptance; not the event's. */
  readonly EventId: string;
}

/**
 * What the next PutEvents meets. lost: accepted, and the answer never comes. dropped: the same, but nothing was
 * accepted. A number is the HTTP status of a refusal of the whole call. A function refuses single entries.
 */
export type BusFault =
  | 'lost'
  | 'dropped'
  | { readonly status: number; readonly type: string }
  | ((entry: BusEntry, index: number) => { readonly code: string; readonly message: string } | undefined);

export interface BusSink {
  readonly endpoint: string;
  /** Names of the buses that exist. */
  readonly buses: Set<string>;
  /** In order of acceptance; only of buses that exist. */
  readonly accepted: readonly AcceptedEvent[];
  /** EventBridge gives success and an id for a bus that does not exist; these went there. */
  readonly vanished: readonly AcceptedEvent[];
  /** Taken from the front, one for each PutEvents. */
  readonly faults: BusFault[];
  readonly calls: { PutEvents: number; DescribeEventBus: number };
  stop(): Promise<void>;
}

/** PutEvents: at most so many entries in a call. */
const MAX_ENTRIES = 10;

/** PutEvents: of all entries of a call together; the older, smaller of the limits that AWS had. */
const MAX_CALL_BYTES = 256 * 1024;

export interface BusSinkOptions {
  readonly buses?: readonly string[];
  /** Accepted events are appended here, a JSON line each, and synced before they are acknowledged. */
  readonly file?: string;
}

export async function startBusSink(options: BusSinkOptions = {}): Promise<BusSink> {
  const { buses = ['default'], file } = options;
  const descriptor = file === undefined ? undefined : openSync(file, 'a');
  const state = {
    buses: new Set(buses),
    accepted: [] as AcceptedEvent[],
    vanished: [] as AcceptedEvent[],
    faults: [] as BusFault[],
    calls: { PutEvents: 0, DescribeEventBus: 0 },
  };

  const accept = (entry: BusEntry): string => {
    const event = { EventId: randomUUID(), ...entry };
    const exists = state.buses.has(busName(entry.EventBusName));
    (exists ? state.accepted : state.vanished).push(event);
    if (exists && descriptor !== undefined) writeSync(descriptor, `${JSON.stringify(event)}\n`);
    return event.EventId;
  };

  const putEvents = (entries: readonly BusEntry[]) => {
    const fault = state.faults.shift();
    if (fault === 'dropped') throw LOST;
    if (typeof fault === 'object') throw new AwsJsonError(fault.type, 'refused by the test', fault.status);
    checkCall(entries);
    const results = entries.map((entry, index) => {
      const refusal = (typeof fault === 'function' ? fault(entry, index) : undefined) ?? refusalOf(entry);
      if (refusal) return { ErrorCode: refusal.code, ErrorMessage: refusal.message };
      return { EventId: accept(entry) };
    });
    if (descriptor !== undefined) fsyncSync(descriptor);
    if (fault === 'lost') throw LOST;
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  };

  const server = await startAwsJson({
    'AWSEvents.PutEvents': (input) => {
      state.calls.PutEvents += 1;
      return putEvents(input['Entries'] as readonly BusEntry[]);
    },
    'AWSEvents.DescribeEventBus': (input) => {
      state.calls.DescribeEventBus += 1;
      const name = busName(input['Name'] as string | undefined);
      if (!state.buses.has(name)) {
        throw new AwsJsonError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
      }
      return { Name: name, Arn: `arn:aws:events:us-east-1:000000000000:event-bus/${name}` };
    },
  });
  return {
    endpoint: server.endpoint,
    ...state,
    async stop() {
      await server.stop();
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

/** Both calls take a name or an ARN. */
function busName(nameOrArn = 'default'): string {
  return nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);
}

function checkCall(entries: readonly BusEntry[]): void {
  if (entries.length === 0 || entries.length > MAX_ENTRIES) {
    throw new AwsJsonError('ValidationException', `Member must have length between 1 and ${MAX_ENTRIES}`);
  }
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  if (bytes > MAX_CALL_BYTES) {
    throw new AwsJsonError(
      'ValidationException',
      `Total size of the entries in the request is over the limit.`,
    );
  }
}

/** As the EventBridge guide computes an entry's size: 14 bytes for a time, and the UTF-8 of the rest. */
function entryBytes(entry: BusEntry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  const time = entry.Time === undefined ? 0 : 14;
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), time);
}

function refusalOf(entry: BusEntry): { readonly code: string; readonly message: string } | undefined {
  for (const field of ['Source', 'DetailType', 'Detail'] as const) {
    if (!entry[field]) {
      return {
        code: 'InvalidArgument',
        message: `Parameter ${field} is not valid. Reason: ${field} is a required argument.`,
      };
    }
  }
  if (entry.Source?.startsWith('aws.')) {
    return { code: 'NotAuthorizedForSourceException', message: 'Not authorized for the source.' };
  }
  try {
    JSON.parse(entry.Detail ?? '');
    return undefined;
  } catch {
    return { code: 'MalformedDetail', message: 'Detail is malformed.' };
  }
}
