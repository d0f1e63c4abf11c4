/** What a handler asks of Lambda's context. */
export interface Remaining {
  getRemainingTimeInMillis(): number;
}
