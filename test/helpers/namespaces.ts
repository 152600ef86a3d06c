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

/**
 * Runs a script of sh that mounts file systems which only those see who are started in its place.
 *
 * @returns the words that start a command there; undefined where that can't be done
 */
export async function mounted(t: TestContext, script: string): Promise<string[] | undefined> {
  const stay = `{ ${script}; } >&2 && echo mounted && exec sleep 600`;
  const place = spawn("unshare", ["-r", "-m", "sh", "-c", stay], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => place.kill("SIGKILL"));
  const [said] = await Promise.race([once(place.stdout, "data"), once(place, "close")]);
  if (!`${said}`.startsWith("mounted")) return undefined;
  return ["nsenter", "-t", `${place.pid}`, "-U", "-m", "--preserve-credentials"];
}
