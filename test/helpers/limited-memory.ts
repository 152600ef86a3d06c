import { randomUUID } from "node:crypto";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import type { TestContext } from "node:test";

/** The two versions of control groups: where they are, and their file with the limit. */
const VERSIONS = [
  { root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
  { root: "/sys/fs/cgroup", limit: "memory.max" },
];

/**
 * A limit of memory as containers have it.
 *
 * @returns a command of bash after which its shell has no more than this; undefined where no limit can be set
 */
export function memoryLimited(t: TestContext, bytes: number): string | undefined {
  for (const { root, limit } of VERSIONS) {
    const group = `${root}/charnn-${randomUUID()}`;
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    t.after(() => rmdirSync(group));
    try {
      writeFileSync(`${group}/${limit}`, `${bytes}`);
    } catch {
      continue;
    }
    return `echo $BASHPID > ${group}/cgroup.procs`;
  }
  t.skip("no control group can be made here");
  return undefined;
}
