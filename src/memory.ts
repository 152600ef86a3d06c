import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { CharnnError } from "./errors.js";

/** Reads a small file of the system; throws where there is none. */
type ReadFile = (path: string) => string;

/** Bytes of memory that this process can have: the machine's, or fewer where a container limits them. */
export function memoryLimit(): number {
  return Math.min(totalmem(), containerLimit());
}

/**
 * The lowest limit of the control groups that this process is in, bytes; infinite where there is none.
 * Node.js looks at the innermost group alone.
 */
export function containerLimit(read: ReadFile = (path) => readFileSync(path, "utf8")): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const { root, group, file } of groups(read)) {
    const names = group.split("/").filter((name) => name !== "");
    for (let depth = names.length; depth >= 0; depth--) {
      const text = contentOf(join(root, names.slice(0, depth).join("/"), file), read);
      const limit = Number(text);
      // "max" is none, and so is what is missing.
      if (text !== "" && limit > 0) lowest = Math.min(lowest, limit);
    }
  }
  return lowest;
}

/** Of version 2, and of version 1 the one for memory. */
function groups(read: ReadFile): { root: string; group: string; file: string }[] {
  return contentOf("/proc/self/cgroup", read)
    .split("\n")
    .flatMap((line) => {
      const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (controllers === "") return { root: "/sys/fs/cgroup", group, file: "memory.max" };
      if (!controllers?.split(",").includes("memory")) return [];
      return { root: "/sys/fs/cgroup/memory", group, file: "memory.limit_in_bytes" };
    });
}

function contentOf(path: string, read: ReadFile): string {
  try {
    return read(path).trim();
  } catch {
    return "";
  }
}

/** `1.5 GB` */
export function gigabytes(bytes: number): string {
  const digits = { maximumFractionDigits: bytes < 1e8 ? 3 : 1 };
  return `${(bytes / 1e9).toLocaleString("en", digits)} GB`;
}

/** Whether something needed more memory than there was, or than an array can have. */
export function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof CharnnError) return false;
  const code = "code" in error ? error.code : undefined;
  return (
    /^(ERR_MEMORY_ALLOCATION_FAILED|ERR_BUFFER_TOO_LARGE|ERR_STRING_TOO_LONG)$/.test(`${code}`) ||
    /allocation failed|bad_alloc|out of memory|no memory|Invalid (typed )?array (buffer )?length|Invalid string length/i.test(
      error.message,
    )
  );
}

/**
 * Does what needs much memory.
 *
 * @param explain the error to throw where there is not enough
 */
export async function inMemory<Result>(
  action: () => Result | Promise<Result>,
  explain: (cause: unknown) => CharnnError,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw isOutOfMemory(error) ? explain(error) : error;
  }
}
