export class StateError extends Error {
  /** 'later': another run kept winning. 'person': the document is newer than this version, or broken. */
  readonly kind: 'later' | 'person';
  /** Stable, for programs: E_STATE_… */
  readonly code: string;

  constructor(
    message: string,
    facts: { kind: 'later' | 'person'; code: string },
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'StateError';
    this.kind = facts.kind;
    this.code = facts.code;
  }
}

/** A document of the state that cannot be used, and must not be touched. */
export function broken(mailbox: string, key: string, why: string, cause?: unknown): StateError {
  return new StateError(
    `state of ${mailbox}: ${key} cannot be used: ${why}. Nothing was changed. Restore it, or remove all of state/${mailbox}.json and state/${mailbox}/: then all mail is retrieved again, nothing is stored twice, and events repeat with their ids.`,
    { kind: 'person', code: 'E_STATE_BROKEN' },
    { cause },
  );
}
