import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/** What a figure depends on, in one line. */
export function machineFacts(): string {
  const day = new Date().toISOString().slice(0, 10);
  const processor = cpus()[0]?.model.trim() ?? process.arch;
  const memory = Math.round(totalmem() / 2 ** 30);
  return (
    `${day}, ${commit()}: ${processor}, ${availableParallelism()} cores, ${memory} GiB, ` +
    `${process.platform}, Node ${process.version}`
  );
}

function commit(): string {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    encoding: "utf8",
  });
  return status === 0 ? `commit ${stdout.trim()}` : "no commit";
}
