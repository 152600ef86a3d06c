import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";

/** What a figure depends on, in one line. */
export function machineFacts(): string {
  const day = new Date().toISOString().slice(0, 10);
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const processor = cpus()[0]?.model.trim() ?? process.arch;
  const memory = Math.round(totalmem() / 2 ** 30);
  return (
    `${day}, commit ${commit}: ${processor}, ${availableParallelism()} cores, ${memory} GiB, ` +
    `${process.platform}, Node ${process.version}`
  );
}
