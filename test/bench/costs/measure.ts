/** The calls that a month is made of, each counted by itself. */
import { mail, type ScriptedMessage } from '../../servers/scripted.ts';
import {
  type CostStage,
  type Latencies,
  type MailboxSettings,
  type StageParts,
  startStage,
  type Work,
} from './stage.ts';

export interface Sizes {
  /** In config/mailboxes.json, each fetched every five minutes. */
  readonly mailboxes: number;
  /** Messages of a first import. */
  readonly bulk: number;
  /** Of each message. */
  readonly octets: number;
  /** Of each call; the quickest one counts. */
  readonly repeats: number;
}

export interface Measured {
  readonly sizes: Sizes;
  readonly latencies: Latencies;
  /** One minute of the schedule; how many jobs and mailboxes are due in one. */
  readonly dispatch: Work & { readonly jobs: number; readonly mailboxes: number };
  /** One job without new mail. */
  readonly idle: Work & { readonly mailboxes: number };
  /** The same job, with one new message in one of its mailboxes. */
  readonly trickle: Work;
  /** `sizes.bulk` new messages in one mailbox. */
  readonly bulk: Work;
  /** Ten stored messages in one call, and one. */
  readonly parseTen: Work;
  readonly parseOne: Work;
}

/** An assumption: of a service in the same region, and of a mail server on the same continent. */
export const LATENCIES: Latencies = { awsMs: 15, pop3EachWayMs: 15 };

export interface Measuring {
  readonly parts: StageParts;
  readonly sizes: Sizes;
  readonly latencies: Latencies;
  readonly log: (line: string) => void;
}

/** What an idle mailbox has on record. */
const OLD_MESSAGES = 20;

export async function measureCosts({ parts, sizes, latencies, log }: Measuring): Promise<Measured> {
  const messages = Array.from({ length: OLD_MESSAGES }, (_, nth) => letter(`old-${nth}`, sizes.octets));
  const stage = await startStage(parts, { latencies, mailboxes: sizes.mailboxes, messages });
  const said = <T>(what: string, measured: T): T => {
    log(`${what}: ${JSON.stringify(measured)}`);
    return measured;
  };
  try {
    const mailboxes = Array.from({ length: sizes.mailboxes }, (_, nth) => stage.mailbox(nth, 'idle'));
    await configure(stage, mailboxes);
    const { ids, ...dispatch } = await measureDispatch(stage, sizes);
    said('a minute of the schedule', dispatch);
    const [first = ''] = ids;
    const changed = mailboxes.map((one, nth) => (one.id === first ? stage.mailbox(nth, 'new') : one));
    await configure(stage, changed);
    const idle = said('a job without new mail', {
      ...(await measureIdle(stage, ids, sizes)),
      mailboxes: ids.length,
    });
    const trickle = said('with one new message', await measureTrickle(stage, ids, sizes));
    const bulk = said(`a first import of ${sizes.bulk}`, await measureBulk(stage, first, sizes));
    const parseTen = said('parsing ten', await measureParsing(stage, 10, sizes));
    const parseOne = said('parsing one', await measureParsing(stage, 1, sizes));
    return { sizes, latencies, dispatch, idle, trickle, bulk, parseTen, parseOne };
  } finally {
    await stage.stop();
  }
}

async function configure(stage: CostStage, mailboxes: readonly MailboxSettings[]): Promise<void> {
  await stage.far.put('config/mailboxes.json', { v: 1, mailboxes });
}

interface Job {
  readonly slot: string;
  readonly mailboxes: readonly string[];
}

/** Functions are warm in all that counts: a cold start is rare where something is called each minute. */
async function measureDispatch(
  stage: CostStage,
  { repeats }: Sizes,
): Promise<Measured['dispatch'] & { readonly ids: readonly string[] }> {
  const works: Work[] = [];
  for (let times = 0; times <= repeats; times += 1)
    works.push(await stage.call('dispatch', { time: new Date().toISOString() }));
  const jobs = stage.queue.taken.map(({ body }) => JSON.parse(body) as Job);
  const slots = new Set(jobs.map(({ slot }) => slot)).size;
  const mailboxes = jobs.reduce((sum, job) => sum + job.mailboxes.length, 0);
  const mean = Math.round(mailboxes / jobs.length);
  const ids = (jobs.find((job) => job.mailboxes.length === mean) ?? jobs[0])?.mailboxes ?? [];
  return { ...quickest(works.slice(1)), jobs: jobs.length / slots, mailboxes: mailboxes / slots, ids };
}

let calls = 0;

function fetchJob(stage: CostStage, mailboxes: readonly string[]): Promise<Work> {
  calls += 1;
  const job = { v: 1, bundle: 'b-1', slot: new Date().toISOString(), mailboxes };
  return stage.call('fetch', { Records: [{ messageId: `call-${calls}`, body: JSON.stringify(job) }] });
}

async function measureIdle(stage: CostStage, ids: readonly string[], { repeats }: Sizes): Promise<Work> {
  // The first run of a mailbox stores what is there; the second finds nothing left to do, and notes that.
  for (let times = 0; times < 2; times += 1) await fetchJob(stage, ids);
  const works: Work[] = [];
  for (let times = 0; times < repeats; times += 1) works.push(await fetchJob(stage, ids));
  return quickest(works);
}

async function measureTrickle(
  { server, ...stage }: CostStage,
  ids: readonly string[],
  { repeats, octets }: Sizes,
): Promise<Work> {
  const works: Work[] = [];
  for (let times = 0; times < repeats; times += 1) {
    server.messages.push(letter(`trickle-${times}`, octets));
    works.push(await fetchJob({ server, ...stage }, ids));
  }
  return quickest(works);
}

async function measureBulk(stage: CostStage, id: string, { bulk, octets }: Sizes): Promise<Work> {
  for (let nth = 0; nth < bulk; nth += 1) stage.server.messages.push(letter(`bulk-${nth}`, octets));
  const before = (await stage.far.objects(id)).size;
  const work = await fetchJob(stage, [id]);
  const stored = (await stage.far.objects(id)).size - before;
  if (stored !== bulk) throw new Error(`${stored} of ${bulk} messages were stored in one call`);
  return work;
}

/** Of messages that were not parsed before: a repeat writes nothing. */
async function measureParsing(stage: CostStage, batch: number, { repeats }: Sizes): Promise<Work> {
  const works: Work[] = [];
  for (let times = 0; times < repeats; times += 1) {
    const parsed = stage.far.bus.accepted.filter(({ DetailType }) => DetailType === 'Message Parsed').length;
    const stored = stage.far.bus.accepted.filter(({ DetailType }) => DetailType === 'Message Stored');
    const records = stored.slice(parsed, parsed + batch).map(({ Detail, EventId }) => ({
      messageId: EventId,
      body: `{"source":"mailferry","detail-type":"Message Stored","detail":${Detail}}`,
    }));
    if (records.length < batch) throw new Error('too few messages were stored to parse so many');
    works.push(await stage.call('parse', { Records: records }));
  }
  // The first is a cold start.
  return quickest(works.slice(-Math.max(1, repeats - 1)));
}

/** The quickest is what the machine had the least to do besides. */
function quickest(works: readonly Work[]): Work {
  const [first, ...rest] = works;
  if (first === undefined) throw new Error('nothing was measured');
  return rest.reduce((best, one) => (one.wallMs < best.wallMs ? one : best), first);
}

/** As most mail is: text, and the same as HTML. */
function letter(uidl: string, octets: number): ScriptedMessage {
  const head = [
    ...['From: Ada <ada@example.org>', 'To: support@example.org', `Subject: About ${uidl}`],
    ...['Date: Tue, 24 Nov 2026 09:00:00 +0000', `Message-ID: <${uidl}@example.org>`, 'MIME-Version: 1.0'],
    ...['Content-Type: multipart/alternative; boundary=b', '', ''],
  ].join('\r\n');
  const html = '<p>The quick brown fox jumps over the lazy dog.</p>\r\n';
  const times = Math.max(1, Math.floor((octets - head.length) / html.length / 1.2));
  const text = 'The quick brown fox jumps over the lazy dog.\r\n'.repeat(Math.ceil(times / 5));
  const part = (type: string, body: string) =>
    `--b\r\nContent-Type: ${type}; charset=utf-8\r\n\r\n${body}\r\n`;
  return mail(uidl, `${head}${part('text/plain', text)}${part('text/html', html.repeat(times))}--b--\r\n`);
}
