/** A backend does not load: the message is why, a part of a sentence. */
export class BackendError extends Error {
  /** Nobody expects it here: it was never installed. */
  readonly isAbsent: boolean;

  constructor(
    message: string,
    /** What helps, a sentence; undefined where nothing does. */
    readonly cure?: string,
    { isAbsent = false, ...options }: ErrorOptions & { isAbsent?: boolean } = {},
  ) {
    super(message, options);
    this.isAbsent = isAbsent;
  }
}
