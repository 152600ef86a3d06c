import { constants } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemCalls } from "../backends/native/addon.js";
import { closeRead } from "../clean-up.js";
import { retryWhileInUse } from "../in-use.js";
import { areOnOneSystem, isRunning, isStillRunning, type ProcessIdentity } from "../processes.js";
import { systemErrorCode } from "../system-error-code.js";
import { type LockHolder, MILLISECONDS_PER_BEAT } from "./beat.js";
import type { RunFolder } from "./run-folder.js";

/** What a look at a lock found. */
export type Look =
  /** Nobody has the run. */
  | { readonly state: "free" }
  /** What the file says is damaged, or its process has ended. */
  | { readonly state: "left"; readonly file: string }
  | {
      /** Unclear: it takes more looks to see whether the process is still there. */
      readonly state: "held" | "unclear";
      readonly file: string;
      readonly holder: LockHolder;
    };

/** More than a holder writes of itself. */
const MAX_BYTES = 65_536;
/** A holder is gone when it has not been seen to beat for this long, or, if it is of an earlier version, to write. */
const PATIENCE_MILLISECONDS = 8 * MILLISECONDS_PER_BEAT;

/** The locks that this process has. */
export const ownLocks = new Set<string>();

export function lockOf({ path }: RunFolder): string {
  return join(path, ".lock");
}

/** Looks at a run's lock again and again, and so sees whether a holder still exists that can't be looked up. */
export class HolderWatch {
  readonly #folder: RunFolder;
  readonly #self: ProcessIdentity;
  #seen = { file: "", sign: "", at: 0, moved: false };
  /** For how long the present holder has given no sign. */
  #stillFor = 0;

  constructor(folder: RunFolder, self: ProcessIdentity) {
    this.#folder = folder;
    this.#self = self;
  }

  /** @throws an error of the system when the lock can't be read */
  async look(): Promise<Look> {
    const lock = lockOf(this.#folder);
    for (const name of (await unlessGone(retryWhileInUse(() => readdir(lock)))) ?? []) {
      const file = join(lock, name);
      const text = await unlessGone(retryWhileInUse(() => beginningOf(file)));
      if (text === undefined) continue;
      const holder = parseHolder(text);
      const state = holder ? await this.#stateOf(file, holder, ownLocks.has(name)) : "left";
      return holder && state !== "left" ? { state, file, holder } : { state: "left", file };
    }
    return { state: "free" };
  }

  async #stateOf(file: string, holder: LockHolder, isOwn: boolean) {
    if (isOwn) return "held";
    if (holder.locksFile) {
      const found = await probe(file);
      if (found === "held") return "held";
      if (found === "taken" && areOnOneSystem(holder, this.#self)) return "left";
    }
    const isRunningStill = isStillRunning(holder);
    if (isRunningStill !== undefined) {
      // A lock of this process counts only if it is one of those above, and this is not.
      return isRunningStill && !isThisProcess(holder, this.#self) ? "held" : "left";
    }
    if (holder.beat === undefined && holder.host === hostname()) {
      if (isRunning(holder.pid, holder.start)) return "held";
    }
    return this.#stateBySigns(file, holder.beat ?? (await traceOf(this.#folder)));
  }

  /** Compares no clocks, which may differ between hosts: it only sees whether something changes. */
  #stateBySigns(file: string, sign: string) {
    const at = performance.now();
    const { file: lastFile, sign: lastSign, at: lastAt, moved: hasMoved } = this.#seen;
    const moved = lastFile === file && (hasMoved || lastSign !== sign);
    // While this process itself stands still, so may the one that it watches: both in a virtual machine.
    const isStill = lastFile === file && lastSign === sign;
    const passed = Math.min(at - lastAt, MILLISECONDS_PER_BEAT);
    this.#stillFor = isStill ? this.#stillFor + passed : 0;
    this.#seen = { file, sign, at, moved };
    if (this.#stillFor >= PATIENCE_MILLISECONDS) return "left";
    return moved ? "held" : "unclear";
  }
}

function isThisProcess(holder: LockHolder, self: ProcessIdentity): boolean {
  return holder.pid === self.pid && holder.start === self.start;
}

/** Whether the system holds a file locked for a process; undefined where it can't be told. */
async function probe(file: string): Promise<string | undefined> {
  const locks = systemCalls();
  if (!locks) return undefined;
  const handle = await unlessGone(open(file, "r"));
  try {
    // Shared, so that several can look at once without hindering each other.
    return handle && locks.lockFile({ descriptor: handle.fd, shared: true });
  } finally {
    await closeRead(handle);
  }
}

/** What changes while a run is trained by a version of charnn whose locks do not beat. */
async function traceOf({ path }: RunFolder): Promise<string> {
  const names = (await readdir(path)).filter((name) => !name.startsWith(".lock")).sort();
  const traces = await Promise.all(
    names.map(async (name) => {
      const stats = await unlessGone(stat(join(path, name)));
      return stats && [name, stats.ino, stats.size, stats.mtimeMs];
    }),
  );
  return JSON.stringify(traces);
}

/** Undefined for what is damaged, as by a power failure. */
function parseHolder(text: string): LockHolder | undefined {
  try {
    const { pid, start, host, boot, namespace, locksFile = false, beat } = JSON.parse(text);
    const isPid = Number.isInteger(pid) && pid > 0 && pid < 2 ** 31;
    const isSound = isPid && typeof host === "string" && typeof locksFile === "boolean";
    const isText = (value: unknown) => value === undefined || typeof value === "string";
    if (!isSound || ![start, boot, namespace, beat].every(isText)) return undefined;
    return { pid, start, host, boot, namespace, locksFile, beat };
  } catch {
    return undefined;
  }
}

/** Undefined when a file or folder is not there; any other error is one. */
export async function unlessGone<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  return reading.catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
}

/** Of a file that should be small; a pipe in its place is empty, and is not waited for. */
async function beginningOf(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await closeRead(file);
  }
}
