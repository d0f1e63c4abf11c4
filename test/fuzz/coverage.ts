/**
 * Which blocks of the source ran, as V8 counts them itself: no instrumented copy, no native code. Taking the
 * counts costs about half a millisecond, so that it is done for hundreds of inputs at once.
 */
import { type Profiler, Session } from 'node:inspector';

/** What ran in one period: for each script, by its URL, a mark for each offset in its source. */
export type Ran = ReadonlyMap<string, Uint8Array>;

/** Offsets at which blocks begin, by the script's URL. */
export type Blocks = ReadonlyMap<string, readonly number[]>;

const RAN = 2;
const RAN_NOT = 1;

interface Script {
  /** RAN where the source has run in any period that was merged. */
  marks: Uint8Array;
  /** Each offset at which a block was seen to begin. V8 tells two blocks apart once their counts differ. */
  readonly begins: Set<number>;
}

export class Coverage {
  readonly #session = new Session();
  readonly #counts: (url: string) => boolean;
  readonly #scripts = new Map<string, Script>();

  /** Of the scripts whose URL `counts`; from now on, whenever they were loaded. */
  constructor(counts: (url: string) => boolean) {
    this.#counts = counts;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    this.take();
  }

  /** What ran since the last call. */
  take(): Ran {
    const ran = new Map<string, Uint8Array>();
    for (const { url, functions } of this.#result()) {
      if (this.#counts(url)) ran.set(url, this.#marked(this.#script(url), functions));
    }
    return ran;
  }

  /** The blocks that ran, and in no period merged so far. */
  fresh(ran: Ran): Blocks {
    const fresh = new Map<string, readonly number[]>();
    for (const [url, marks] of ran) {
      const { begins, marks: before } = this.#script(url);
      const left = [...begins].filter((at) => marks[at] === RAN && before[at] !== RAN);
      if (left.length > 0) fresh.set(url, left);
    }
    return fresh;
  }

  merge(ran: Ran): void {
    for (const [url, marks] of ran) {
      const script = this.#script(url);
      if (script.marks.length < marks.length) script.marks = grown(script.marks, marks.length);
      for (let at = 0; at < marks.length; at += 1) if (marks[at] === RAN) script.marks[at] = RAN;
    }
  }

  /** Blocks that ran, of those that V8 told apart in functions that were called. */
  get total(): { readonly ran: number; readonly known: number } {
    let [ran, known] = [0, 0];
    for (const { begins, marks } of this.#scripts.values()) {
      known += begins.size;
      for (const at of begins) ran += marks[at] === RAN ? 1 : 0;
    }
    return { ran, known };
  }

  stop(): void {
    this.#session.disconnect();
  }

  #result(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] | undefined;
    // A session with its own thread answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (_, answer) => {
      result = answer?.result;
    });
    if (result === undefined) throw new Error('V8 gave no coverage.');
    return result;
  }

  /** Inner functions, and inner ranges, come behind those around them and know better. */
  #marked({ begins }: Script, functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
    const end = Math.max(0, ...functions.map(({ ranges }) => ranges[0]?.endOffset ?? 0));
    const marks = new Uint8Array(end);
    for (const { ranges } of functions) {
      const functionEnd = ranges[0]?.endOffset ?? 0;
      for (const { startOffset, endOffset, count } of ranges) {
        marks.fill(count > 0 ? RAN : RAN_NOT, startOffset, endOffset);
        begins.add(startOffset);
        // Behind a block another begins, unless the function is over.
        if (endOffset < functionEnd) begins.add(endOffset);
      }
    }
    return marks;
  }

  #script(url: string): Script {
    const script = this.#scripts.get(url) ?? { marks: new Uint8Array(0), begins: new Set<number>() };
    this.#scripts.set(url, script);
    return script;
  }
}

/** Whether all of `blocks` ran. */
export function covers(ran: Ran, blocks: Blocks): boolean {
  for (const [url, begins] of blocks) {
    const marks = ran.get(url);
    if (!begins.every((at) => marks?.[at] === RAN)) return false;
  }
  return true;
}

function grown(marks: Uint8Array, length: number): Uint8Array {
  const longer = new Uint8Array(length);
  longer.set(marks);
  return longer;
}
