import path from "node:path";
import { CharnnError } from "../errors.js";
import { quoted } from "../shell-words.js";
import { systemErrorCode } from "../system-error-code.js";
import { cureOf, reasonOf } from "../system-errors.js";

/** The result of an action on something named, with what the system refuses as a {@link CharnnError}. */
export async function explainingFailures<Result>(
  name: string,
  action: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw unreadable(`"${name}"`, error, name);
  }
}

/**
 * The error for a source that can't be read: `NOT_FOUND` where nothing has its path, else `BAD_TEXT`.
 *
 * @param source as messages name it
 */
export function unreadable(source: string, cause: unknown, file?: string): CharnnError {
  if (cause instanceof CharnnError) return cause;
  const code = systemErrorCode(cause) ?? "";
  if (file !== undefined && (code === "ENOENT" || code === "ENOTDIR")) return missing(file, cause);
  if (file !== undefined && code === "") throw cause;
  const message = `${source} can't be read: ${reasonOf(cause)}.`;
  const hint = cureOf(cause, file === undefined ? undefined : "name another file");
  return new CharnnError("BAD_TEXT", message, hint, { cause });
}

/** The error for a file or folder that is not there. */
function missing(file: string, cause: unknown): CharnnError {
  return new CharnnError("NOT_FOUND", `There is no file or folder "${file}".`, hintAt(file), {
    cause,
  });
}

function hintAt(file: string): string {
  if (/(^|[\\/])data[\\/]shakespeare\.txt$/.test(file)) return "`npm run data` makes it.";
  if (/^https?:\/\//i.test(file)) {
    return `charnn downloads nothing. To learn from a page: curl -L ${quoted(file)} | charnn train - --name NAME`;
  }
  if (file.startsWith("~")) return "~ is not expanded: give the whole path.";
  if (/[*?]|\[[^\]]+\]|\{[^}]*,[^}]*\}/.test(file)) {
    return "Wildcards are not expanded: name each file, or a folder to read all texts in it.";
  }
  // Node.js puts this character in place of bytes that are not UTF-8, and can't open such a file by its name.
  if (file.includes("\ufffd")) {
    return "If its name is not valid UTF-8, rename it, or read it from standard input: - < FILE.";
  }
  return `Looked for ${path.resolve(file)}.`;
}
