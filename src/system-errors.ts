import { getSystemErrorMap } from "node:util";
import { CharnnError, type ErrorCode } from "./errors.js";
import { isInUse } from "./in-use.js";
import { systemErrorCode } from "./system-error-code.js";

/** Why a call of the operating system failed, and what a person can do about it. */
interface Meaning {
  /** The end of a sentence: "the disk is full". */
  readonly reason: string;
  /** An imperative without its full stop: "Free some space". */
  readonly cure?: string;
  /** Whether another file or folder would do. */
  readonly elsewhere?: true;
}

const DENIED: Meaning = {
  reason: "permission is denied",
  cure: "Change its permissions",
  elsewhere: true,
};
/** Windows says the same of both. */
const OPEN_OR_DENIED: Meaning = {
  reason: "another program has it open, or permission is denied",
  cure: "Close that program",
  elsewhere: true,
};
const UNSUPPORTED: Meaning = { reason: "the file system does not support this", elsewhere: true };
const DAMAGED: Meaning = {
  reason: "the file system is damaged",
  cure: "Check the disk",
  elsewhere: true,
};
const NO_ANSWER: Meaning = {
  reason: "the network folder does not answer",
  cure: "Check the connection",
  elsewhere: true,
};

const IS_POSIX = process.platform !== "win32";

/** By the error's code. Where none is listed, the system's own words are used. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ["EACCES", DENIED],
  ["EPERM", DENIED],
  ["EAGAIN", { reason: "the system is short of resources", cure: "Try again later" }],
  ["EBADMSG", DAMAGED],
  ["EUCLEAN", DAMAGED],
  ["EBUSY", { reason: "another program is using it", cure: "Close that program", elsewhere: true }],
  ["EDQUOT", { reason: "your disk quota is used up", cure: "Free some space", elsewhere: true }],
  ["EEXIST", { reason: "there is a file of that name", elsewhere: true }],
  [
    "EFBIG",
    {
      reason: `the file would be larger than the file system${IS_POSIX ? " or `ulimit -f`" : ""} allows`,
      elsewhere: true,
    },
  ],
  ["EHOSTDOWN", NO_ANSWER],
  ["EHOSTUNREACH", NO_ANSWER],
  ["EILSEQ", { reason: "the file system does not allow this name", cure: "Choose another name" }],
  ["EIO", { reason: "the disk reports an error (EIO)", cure: "Check the disk", elsewhere: true }],
  ["EREMOTEIO", NO_ANSWER],
  ["EISDIR", { reason: "it is a folder" }],
  ["ELOOP", { reason: "its links lead round in circles", cure: "Mend the links" }],
  [
    "EMFILE",
    {
      reason: "this process has too many files open",
      // The limit of Windows can't be raised.
      cure: IS_POSIX ? "Raise the limit with `ulimit -n 4096`" : "Name fewer files",
    },
  ],
  ["EMLINK", { reason: "the folder holds too many others", elsewhere: true }],
  ["ENAMETOOLONG", { reason: "its name is too long", cure: "Choose a shorter name" }],
  ["ENETDOWN", NO_ANSWER],
  ["ENETUNREACH", NO_ANSWER],
  ["ENFILE", { reason: "the system has too many files open", cure: "Close other programs" }],
  ["ENODEV", { reason: "its device is no longer there", elsewhere: true }],
  ["ENXIO", { reason: "its device is no longer there", elsewhere: true }],
  ["ENOENT", { reason: "there is no such file or folder" }],
  ["ENOLCK", { reason: "the file system can't lock any more files", elsewhere: true }],
  ["ENOMEM", { reason: "there is not enough memory", cure: "Close other programs" }],
  ["ENOSPC", { reason: "the disk is full", cure: "Free some space", elsewhere: true }],
  ["ENOSYS", UNSUPPORTED],
  ["ENOTSUP", UNSUPPORTED],
  ["EOPNOTSUPP", UNSUPPORTED],
  ["EINVAL", UNSUPPORTED],
  [
    "ENOTCONN",
    { reason: "its file system is no longer connected", cure: "Mount it again", elsewhere: true },
  ],
  ["ENOTDIR", { reason: "a part of the path is a file", elsewhere: true }],
  ["ENOTEMPTY", { reason: "the folder is not empty", elsewhere: true }],
  ["EROFS", { reason: "the file system is read-only", elsewhere: true }],
  [
    "ESTALE",
    {
      reason: "it is gone from the network folder, or the folder was replaced (stale file handle)",
      cure: "Mount the folder again",
      elsewhere: true,
    },
  ],
  ["ETIMEDOUT", NO_ANSWER],
  ["ETXTBSY", { reason: "it is a program that is running", elsewhere: true }],
  ["EXDEV", { reason: "it would have to move to another file system", elsewhere: true }],
]);

/**
 * Why a call failed, as the end of a sentence: "the disk is full". What is no error of the operating system
 * gives its message.
 */
export function reasonOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  const meaning = meaningOf(error);
  if (meaning) return meaning.reason;
  for (const [name, description] of getSystemErrorMap().values()) {
    if (name === code) return `${description} (${code})`;
  }
  return error instanceof Error ? error.message : code;
}

function meaningOf(error: unknown): Meaning | undefined {
  return isInUse(error) ? OPEN_OR_DENIED : MEANINGS.get(systemErrorCode(error) ?? "");
}

/**
 * What to do about a call that failed, as a sentence; undefined where nothing is known to help.
 *
 * @param elsewhere how to name another place, where one can be named: `choose another folder with --out`
 */
export function cureOf(error: unknown, elsewhere?: string): string | undefined {
  const meaning = meaningOf(error);
  const other = meaning?.elsewhere || !meaning?.cure ? elsewhere : undefined;
  const ways = [meaning?.cure, other].filter((way) => way !== undefined).join(", or ");
  return ways === "" ? undefined : `${ways[0].toUpperCase()}${ways.slice(1)}.`;
}

/**
 * The error for a file or folder that can't be written or removed.
 *
 * @param elsewhere see {@link cureOf}
 */
export function notWritable(
  path: string,
  cause: unknown,
  elsewhere = "choose another folder with `out`",
): CharnnError {
  const isMissing = systemErrorCode(cause) === "ENOENT";
  const reason = isMissing ? "there is no folder for it" : reasonOf(cause);
  const hint = cureOfFile(cause, elsewhere);
  return new CharnnError("NOT_WRITABLE", `${path} can't be written: ${reason}.`, hint, { cause });
}

/** The error for a file or folder that can't be read: `NOT_FOUND` where it is missing. */
export function notReadable(
  path: string,
  cause: unknown,
  code: ErrorCode = "NOT_READABLE",
): CharnnError {
  const isMissing = ["ENOENT", "ENOTDIR"].includes(systemErrorCode(cause) ?? "");
  const message = `${path} can't be read: ${reasonOf(cause)}.`;
  return new CharnnError(isMissing ? "NOT_FOUND" : code, message, cureOfFile(cause), { cause });
}

/** {@link cureOf} for a file of charnn's own, which has its place. */
function cureOfFile(cause: unknown, elsewhere?: string): string | undefined {
  return systemErrorCode(cause) === "EISDIR" ? "Move it elsewhere." : cureOf(cause, elsewhere);
}
