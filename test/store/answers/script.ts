/** What the store is made to do with a request, and the steps that occur most. */
import { type S3Answer, s3Error } from '../../servers/scriptedS3.ts';

export type Effect =
  | 'now'
  | 'never'
  /** When the writer, having given up the answer, looks: just before it is shown what is there. */
  | 'before the look'
  /** Just after it was shown. */
  | 'after the look'
  /** After the writer's next attempt too. */
  | 'in the end';

/** What others do: before the request takes effect, or between that and its answer. */
export type Deed =
  | 'another’s write'
  | 'another run writes the same'
  | 'half of it is kept'
  | 'it is removed'
  | 'the upload is removed';

export type Said =
  | S3Answer
  /** The connection ends without a byte. */
  | 'closes'
  /** It ends within the status line. */
  | 'breaks off';

export type Step = {
  readonly before?: Deed;
  readonly afterwards?: Deed;
} & (
  | {
      readonly effect: 'now';
      /** Instead of the truth, or made of it. */
      readonly says: Said | ((truth: S3Answer) => Said);
    }
  | { readonly effect: Exclude<Effect, 'now'>; readonly says: Said }
);

/** The n-th step is for the n-th request of its kind; requests beyond the last are answered with the truth. */
export interface Script {
  /** PutObject and CompleteMultipartUpload. */
  readonly writes?: readonly Step[];
  /** HeadObject and GetObject. */
  readonly looks?: readonly Step[];
  readonly parts?: readonly Step[];
  readonly aborts?: readonly Step[];
}

export const done = (says: Said | ((truth: S3Answer) => Said)): Step => ({ effect: 'now', says });
export const undone = (says: Said): Step => ({ effect: 'never', says });
export const late = (effect: Exclude<Effect, 'now' | 'never'>, says: Said = 'reset'): Step => ({
  effect,
  says,
});
export const TRUTH: Step = done((truth) => truth);
export const LOST: Step = done('reset');
export const after = (deed: Deed): Step => ({ ...TRUTH, before: deed });
export const times = (count: number, step: Step): Step[] => Array.from({ length: count }, () => step);

export const PRECONDITION = s3Error(412, 'PreconditionFailed');
export const CONFLICT = s3Error(409, 'ConditionalRequestConflict');
export const INTERNAL = s3Error(500, 'InternalError');
export const SLOW_DOWN = s3Error(503, 'SlowDown');
/** What a proxy says that is no S3. */
export const html = (status: number): S3Answer => ({ status, body: '<html>gateway trouble</html>' });

/** 200 with an error document in it, as only Complete answers. */
export function errorInOk(code: string): S3Answer {
  const error = s3Error(200, code);
  if (typeof error === 'string') throw new Error('an error document is no string');
  return error;
}

/** The truth with its body cut. */
export function cut(truth: S3Answer): Said {
  if (typeof truth === 'string') return truth;
  const length = Buffer.byteLength(truth.body ?? '');
  return { ...truth, cutAfter: Math.floor(length / 2) };
}

/** The truth with its ETag changed, or taken away: from the headers, or from a Complete's document. */
export function etag(value: string | null): (truth: S3Answer) => Said {
  return (truth) => {
    if (typeof truth === 'string') return truth;
    const { etag: _, ...headers } = truth.headers ?? {};
    const body = String(truth.body ?? '').replace(/<ETag>.*?<\/ETag>/, value ? `<ETag>${value}</ETag>` : '');
    return { ...truth, headers: value ? { ...headers, etag: value } : headers, body };
  };
}
