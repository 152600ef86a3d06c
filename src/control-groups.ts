/** The limits that Linux gives a process by control groups, as containers have them. */
import { readFileSync } from "node:fs";
import { posix } from "node:path";

/** Reads a small file of the system; throws where there is none. */
export type ReadFile = (path: string) => string;

/** A control group by its folder. Version 2 and version 1 name the files in it differently. */
interface ControlGroup {
  readonly folder: string;
  readonly version: 1 | 2;
}

/** The groups that limit this process, each followed by those around it. */
export function* controlGroups(
  controller: "cpu" | "memory",
  read: ReadFile,
): Generator<ControlGroup> {
  for (const line of contentOf("/proc/self/cgroup", read).split("\n")) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const version = controllers === "" ? 2 : 1;
    if (version === 1 && !controllers?.split(",").includes(controller)) continue;
    const root = version === 2 ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controller}`;
    const names = group.split("/").filter((name) => name !== "");
    for (let depth = names.length; depth >= 0; depth--) {
      yield { folder: posix.join(root, names.slice(0, depth).join("/")), version };
    }
  }
}

export function readSystemFile(path: string): string {
  return readFileSync(path, "utf8");
}

/** The text of a file; empty where it can't be read. */
export function contentOf(path: string, read: ReadFile): string {
  try {
    return read(path).trim();
  } catch {
    return "";
  }
}
