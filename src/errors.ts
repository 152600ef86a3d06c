/** What went wrong, for programs. `message` and `hint` of a {@link CharnnError} are for people. */
export type ErrorCode =
  /** What was asked for can't be right, no matter what the files hold (exit code 2). */
  | "INVALID_SETTING"
  /** A text can't be read, or can't be learned from. */
  | "BAD_TEXT"
  /** A text has a character that the vocabulary lacks. */
  | "UNKNOWN_CHARACTER"
  /** A text is too short for the batch size and sequence length that were asked for. */
  | "TEXT_TOO_SHORT"
  /** A file or folder is missing. */
  | "NOT_FOUND"
  /** A file or folder is there and can't be read. */
  | "NOT_READABLE"
  /** A file or folder can't be written. */
  | "NOT_WRITABLE"
  /** A checkpoint is cut, changed, or not a checkpoint of charnn. */
  | "BAD_CHECKPOINT"
  /** The name of a new run is taken, or another process trains it. */
  | "RUN_EXISTS"
  /** A run can't be resumed with what was asked for. */
  | "CANNOT_RESUME"
  /** A backend that was asked for by name does not load. */
  | "BACKEND_UNAVAILABLE"
  /** The processes that train together would not compute the same. */
  | "WORKERS_DIFFER"
  /** Several processes were started together, and no MPI joins them. */
  | "MPI_UNAVAILABLE"
  /** The limits on what is written leave no next character. */
  | "NOTHING_ALLOWED"
  /** What a backend needs can't be installed. */
  | "CANNOT_INSTALL"
  /** A text has a higher loss than it may have. */
  | "LOSS_TOO_HIGH"
  /** There is less memory than is needed. */
  | "OUT_OF_MEMORY"
  /** The loss is no longer a finite number. */
  | "DIVERGED";

/**
 * The one error class for everything that a person can fix: what happened, to what, and what would work.
 * Settings are named in backquotes, alone or with a value (`minCount: 3`), and the command line puts its options in
 * their place; it does so with warnings too. Anything else that is thrown is a bug.
 */
export class CharnnError extends Error {
  override readonly name = "CharnnError";
  /** The setting at fault (`hiddenSize`), where the message begins with its name. */
  readonly setting: string | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** What to do or type next. */
    readonly hint?: string,
    options: ErrorOptions & { setting?: string } = {},
  ) {
    super(message, options);
    this.setting = options.setting;
  }
}

/** Characters of a text from a file or a command line that a message shows. */
const MAX_SHOWN = 60;

/** The beginning of a text that may be of any length, for a message. */
export function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}
