/**
 * The least that any client must do: RETR in windows of 64 over TLS, the next window sent while the last one
 * arrives, and the bytes thrown away. Nothing of the product is in it. It is given a job.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { type Fetched, JOB, type Job } from './job.ts';

const WINDOW = 64;

const job = JSON.parse(process.env[JOB] ?? '') as Job;
const began = performance.now();
const socket = connect({
  host: job.host,
  port: job.port,
  ca: readFileSync(job.caFile),
  servername: job.host,
});
socket.setNoDelay(true);

type Step = 'greeting' | 'USER' | 'PASS' | 'STAT' | 'RETR' | 'QUIT';
const AFTER: Readonly<Partial<Record<Step, [Step, string]>>> = {
  greeting: ['USER', `USER ${job.user}\r\n`],
  USER: ['PASS', `PASS ${job.password}\r\n`],
  PASS: ['STAT', 'STAT\r\n'],
};
const END = Buffer.from('\r\n.\r\n');

let step: Step = 'greeting';
let held: Buffer = Buffer.alloc(0);
let inBody = false;
let count = 0;
let asked = 0;
let messages = 0;
let octets = 0;

socket.on('data', (chunk: Buffer) => {
  held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
  while (take()) {}
});
socket.on('error', (error) => fail(String(error)));
socket.on('close', () => step !== 'QUIT' && fail(`the line ended in ${step}`));

/** One answer, or as much of a body as is here; false: more must come. */
function take(): boolean {
  if (inBody) return takeBody();
  const end = held.indexOf('\r\n');
  if (end === -1) return false;
  const line = held.toString('latin1', 0, end);
  if (!line.startsWith('+OK')) fail(line);
  // The line's own CRLF stays, so that an empty body ends like any other.
  held = held.subarray(step === 'RETR' ? end : end + 2);
  answered(line);
  return true;
}

function answered(line: string): void {
  const next = AFTER[step];
  if (next !== undefined) {
    step = next[0];
    socket.write(next[1]);
  } else if (step === 'STAT') {
    count = Number(line.split(' ')[1]);
    step = 'RETR';
    ask();
    ask();
  } else if (step === 'RETR') {
    inBody = true;
    octets -= 2;
  } else {
    const fetched: Fetched = { ms: performance.now() - began, messages, octets };
    console.log(JSON.stringify(fetched));
    socket.end();
  }
}

/** Two windows are under way at most. */
function ask(): void {
  let commands = '';
  for (let last = Math.min(asked + WINDOW, count); asked < last; ) commands += `RETR ${++asked}\r\n`;
  if (commands !== '') socket.write(commands);
}

function takeBody(): boolean {
  const end = held.indexOf(END);
  if (end === -1) {
    // What might be the beginning of the end is kept.
    const passed = Math.max(0, held.length - END.length + 1);
    octets += passed;
    held = held.subarray(passed);
    return false;
  }
  octets += end + 2;
  held = held.subarray(end + END.length);
  inBody = false;
  messages += 1;
  if (messages % WINDOW === 0) ask();
  if (messages === count) {
    step = 'QUIT';
    socket.write('QUIT\r\n');
  }
  return true;
}

function fail(words: string): never {
  console.error(`drain: ${words}`);
  process.exit(1);
}
