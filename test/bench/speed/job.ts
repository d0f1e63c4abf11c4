/** What every contestant is given, as JSON in a variable, and what it prints of itself as its last line. */

export const JOB = 'MAILFERRY_BENCH_JOB';

export interface Job {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The authority to trust: PEM in a file. */
  readonly caFile: string;
  /** New for each run, empty, and removed afterwards. */
  readonly folder: string;
}

export interface OursJob extends Job {
  readonly store: 'null' | 'folder' | 's3';
  /** A folder for what V8's profiler saw of the run, and of nothing before it. */
  readonly profile?: string;
  readonly s3?: {
    readonly endpoint: string;
    readonly region: string;
    readonly accessKey: string;
    readonly secretKey: string;
    readonly bucket: string;
  };
}

/** From the dial to the end of the work; the start of Node or Python is not in it. */
export interface Fetched {
  readonly ms: number;
  readonly messages: number;
  /** As on the wire, unstuffed. */
  readonly octets: number;
}
