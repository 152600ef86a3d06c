import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";

/** Where a process runs, as containers do it: words before its command. */
export const PLACES = {
  here: [],
  /** A container of another host name that shares the numbers of processes. */
  otherHost: ["unshare", "-r", "-u", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"],
  /** A container of the same host name, in which a process has another number. */
  otherNumbers: ["unshare", "-r", "-p", "-f", "--kill-child", "--mount-proc"],
} as const satisfies Record<string, readonly string[]>;

export type Place = keyof typeof PLACES;

/** Why processes can't run there on this machine; false where they can. */
export function whyNot(...places: readonly Place[]): string | false {
  for (const place of places) {
    const [command, ...args] = [...PLACES[place], "true"];
    const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (status !== 0) return `no namespaces here: ${(error?.message ?? stderr).trim()}`;
  }
  return false;
}

/** File systems that only processes started in their place can see. */
export interface Mounts {
  /** The words that start a command there, in the folder that follows them. */
  readonly words: readonly string[];
  /** The root of all files there, as it is seen from here. */
  readonly root: string;
}

/**
 * Runs a script of sh that mounts file systems.
 *
 * @param owner lets them go when it ends
 * @returns undefined where that can't be done
 */
export async function mounted(
  owner: Pick<TestContext, "after">,
  script: string,
): Promise<Mounts | undefined> {
  // Reads until its input ends, as it does with this process.
  const stay = `{ ${script}; } >&2 && echo mounted && exec cat`;
  const place = spawn("unshare", ["-r", "-m", "sh", "-c", stay], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  owner.after(() => place.kill("SIGKILL"));
  const said = once(place.stdout, "data");
  const ended = Promise.race([once(place, "close"), once(place, "error")]).then(() => "");
  if (!`${await Promise.race([said, ended])}`.startsWith("mounted")) return undefined;
  const enter = ["nsenter", "-t", `${place.pid}`, "-U", "-m", "--preserve-credentials"];
  const words = [...enter, "sh", "-c", 'cd "$0" && exec "$@"'];
  return { words, root: `/proc/${place.pid}/root` };
}
