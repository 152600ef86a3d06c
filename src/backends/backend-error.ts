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

/** The first line of an error of the system's loader as a part of a sentence: it may say more, and Windows ends it by CR. */
export function loaderReason({ message }: Error): string {
  const [line] = message.split(/\r?\n/);
  return line.replace(/\.$/, "");
}
