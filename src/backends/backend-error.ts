/** A backend does not load: the message is why, a part of a sentence. */
export class BackendError extends Error {
  constructor(
    message: string,
    /** What helps, a sentence; undefined where nothing does. */
    readonly cure?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
