import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { posix } from "node:path";
import { contentOf, controlGroups, type ReadFile, readSystemFile } from "./control-groups.js";
import { CharnnError, type ErrorCode } from "./errors.js";
import { memorySize } from "./text.js";

/** Bytes of memory that this process can have: the machine's, or fewer where a container limits them. */
export function memoryLimit(): number {
  return Math.min(totalmem(), containerLimit());
}

/** Bytes of memory that this process can still get, besides what it has. */
export function memoryLeft(read: ReadFile = readSystemFile): number {
  const left = Math.min(totalmem(), containerLimit(read)) - process.memoryUsage.rss();
  return Math.max(Math.min(left, addressSpaceLeft(read)), 0);
}

/** Bytes that `ulimit -v` leaves this process; infinite where there is no such limit. */
export function addressSpaceLeft(read: ReadFile = readSystemFile): number {
  const [, limit] = /^Max address space +(\d+)/m.exec(contentOf("/proc/self/limits", read)) ?? [];
  const [, used] = /^VmSize:\s*(\d+) kB$/m.exec(contentOf("/proc/self/status", read)) ?? [];
  if (limit === undefined || used === undefined) return Number.POSITIVE_INFINITY;
  return Number(limit) - 1024 * Number(used);
}

/** Bytes that are not worth a look at the system. */
const ALWAYS_THERE = 16e6;

/** What needs memory, for {@link refuseTooLarge}. */
export interface MemoryNeed {
  /** What it is for, as the subject of a sentence: `Training`. */
  readonly what: string;
  /** About how much, bytes. */
  readonly bytes: number;
  /** What to do where there is less. */
  readonly hint: string | ((left: number) => string);
  /** `OUT_OF_MEMORY` when left out. */
  readonly code?: ErrorCode;
}

/**
 * Refuses what does not fit into the memory that is left, before any of it is made.
 *
 * @throws CharnnError
 */
export function refuseTooLarge({ what, bytes, hint, code = "OUT_OF_MEMORY" }: MemoryNeed): void {
  if (bytes < ALWAYS_THERE) return;
  const left = memoryLeft();
  if (bytes <= left) return;
  const message = `${what} needs about ${memorySize(bytes)} of memory, but only ${memorySize(left)} is available.`;
  throw new CharnnError(code, message, typeof hint === "string" ? hint : hint(left));
}

/**
 * The lowest limit of the control groups that this process is in, bytes; infinite where there is none.
 * Node.js looks at the innermost group alone.
 */
export function containerLimit(read: ReadFile = readSystemFile): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const { folder, version } of controlGroups("memory", read)) {
    const file = version === 2 ? "memory.max" : "memory.limit_in_bytes";
    const text = contentOf(posix.join(folder, file), read);
    const limit = Number(text);
    // "max" is none, and so is what is missing.
    if (text !== "" && limit > 0) lowest = Math.min(lowest, limit);
  }
  return lowest;
}

/** Whether something needed more memory than there was, or than an array can have. */
export function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof CharnnError) return false;
  const code = "code" in error ? error.code : undefined;
  return (
    /^(ERR_MEMORY_ALLOCATION_FAILED|ERR_BUFFER_TOO_LARGE|ERR_STRING_TOO_LONG)$/.test(`${code}`) ||
    /allocation failed|bad_alloc|out of memory|no memory|Invalid (typed )?array (buffer )?length|Invalid string length|OOM when allocating|maximum size exceeded|max_size|_M_default_append/i.test(
      error.message,
    )
  );
}

/** The same for what a generator yields. */
export async function* inMemoryThroughout<Item>(
  items: AsyncGenerator<Item, void>,
  explain: (cause: unknown) => CharnnError,
): AsyncGenerator<Item, void> {
  try {
    yield* items;
  } catch (error) {
    throw isOutOfMemory(error) ? explain(error) : error;
  }
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

/** The most memory that this process has had so far, in bytes. */
export function peakMemory(): number {
  // On Linux, maxRSS includes what the process that started this one had; this figure does not.
  const kilobytes = linuxPeak() ?? process.resourceUsage().maxRSS;
  return kilobytes * 1024;
}

function linuxPeak(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [, kilobytes] =
    /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes);
}
