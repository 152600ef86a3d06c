/** How many processors this process may use, and so how many threads the kernels get by default. */
import { availableParallelism } from "node:os";
import { posix } from "node:path";
import { contentOf, controlGroups, type ReadFile, readSystemFile } from "./control-groups.js";

/** The number of threads that kernels use unless told otherwise. */
export interface DefaultThreads {
  readonly threads: number;
  /** What the number comes from: `one for each core`. */
  readonly why: string;
}

/** Where the system says how fast a processor is, the better source first. */
const SPEED_FILES = ["cpu_capacity", "cpufreq/cpuinfo_max_freq"];
/**
 * Of the fastest core's speed: slower ones are left out, since kernels divide their work into equal
 * parts. The fast cores of one processor differ by a few percent, its efficient ones by a quarter or more.
 */
const FAST = 0.8;

/**
 * @param cores of the machine, where the system is not Linux and a program asked it; threads of one core
 *   count once
 */
export function defaultThreads(cores?: number, read: ReadFile = readSystemFile): DefaultThreads {
  const found = linuxCores(read) ?? { cores: cores ?? availableParallelism(), slow: 0 };
  const usable = Math.min(found.cores, availableParallelism());
  const quota = cpuQuota(read);
  if (quota < usable) {
    const processors = `${Number(quota.toFixed(2))} processor${quota === 1 ? "" : "s"}`;
    return {
      // Under a quota of 1.5, two threads do more than one, though both stand still at times.
      threads: Math.max(1, Math.round(quota)),
      why: `the process has a quota of ${processors}`,
    };
  }
  const which = found.slow > 0 ? `fast core; ${found.slow} slow ones are left out` : "core";
  return { threads: usable, why: `one for each ${which}` };
}

/**
 * The processors that a process may run on; undefined where the system does not tell, which only Linux does.
 *
 * @param process its number, or `self`
 */
export function allowedProcessors(
  process: number | "self",
  read: ReadFile = readSystemFile,
): number[] | undefined {
  const status = contentOf(`/proc/${process}/status`, read);
  const [, allowed] = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status) ?? [];
  return allowed === undefined ? undefined : numbersOf(allowed);
}

/** The packages (sockets) that some processors are in, by number; none where the system does not tell. */
export function packagesOf(
  processors: readonly number[],
  read: ReadFile = readSystemFile,
): number[] {
  const found = processors.map((processor) =>
    contentOf(`/sys/devices/system/cpu/cpu${processor}/topology/physical_package_id`, read).trim(),
  );
  return [...new Set(found.filter((id) => /^\d+$/.test(id)).map(Number))];
}

/** The cores that this process may run on: the fast ones, and how many slow ones there are beside them. */
function linuxCores(read: ReadFile): { cores: number; slow: number } | undefined {
  const allowed = allowedProcessors("self", read);
  if (allowed === undefined) return undefined;
  /** Of each core, by the list of its threads. */
  const speeds = new Map<string, number>();
  for (const cpu of allowed) {
    const folder = `/sys/devices/system/cpu/cpu${cpu}`;
    const threads = contentOf(posix.join(folder, "topology/thread_siblings_list"), read);
    const speed = SPEED_FILES.map((file) => Number(contentOf(posix.join(folder, file), read)));
    speeds.set(threads || `${cpu}`, speed.find((value) => value > 0) ?? 0);
  }
  const fastest = [...speeds.values()].reduce((most, speed) => Math.max(most, speed));
  const fast = [...speeds.values()].filter((speed) => speed >= FAST * fastest).length;
  return { cores: fast, slow: speeds.size - fast };
}

/** `0-2,5` is 0, 1, 2 and 5. */
function numbersOf(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Processors' worth of time that the control groups of this process leave it; infinite where none limits it. */
function cpuQuota(read: ReadFile): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const { folder, version } of controlGroups("cpu", read)) {
    const files = version === 2 ? ["cpu.max"] : ["cpu.cfs_quota_us", "cpu.cfs_period_us"];
    const text = files.map((file) => contentOf(posix.join(folder, file), read)).join(" ");
    const [quota, period] = text.split(" ").map(Number);
    if (quota > 0 && period > 0) lowest = Math.min(lowest, quota / period);
  }
  return lowest;
}
