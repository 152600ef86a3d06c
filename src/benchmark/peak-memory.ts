import { readFileSync } from "node:fs";

/** Bytes of memory that this process has had at most so far. */
export function peakMemory(): number {
  // Linux counts in maxRSS what the process that started this one had, here it does not.
  const kilobytes = linuxPeak() ?? process.resourceUsage().maxRSS;
  return kilobytes * 1024;
}

function linuxPeak(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [, kilobytes] =
    /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes);
}
