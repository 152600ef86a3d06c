/** Several machines, made of namespaces on this one: see `bench/workers/machines.sh`. */
import { spawnSync } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { LauncherHere } from "./mpi.js";

const MACHINES = fileURLToPath(new URL("../../bench/workers/machines.sh", import.meta.url));

const NAMES = ["a", "b", "c", "d"];
const MBITS = 1000;

interface MachinesOptions {
  readonly count?: number;
  /** Million bits a second that each sends and receives. */
  readonly mbits?: number;
  /** A script of bash that runs on machine a, in the working folder; `"$@"` is the launcher, and `ssh b` reaches b. */
  readonly script?: string;
}

/** Why machines can't be made here; false where they can. */
export function whyNoMachines(): string | false {
  const { status, error, stderr } = spawnSync(MACHINES, ["2", `${MBITS}`, "true"], {
    encoding: "utf8",
    timeout: 10_000,
  });
  if (status === 0) return false;
  return `no machines of namespaces here: ${error?.message ?? stderr.trim().split("\n").at(-1)}`;
}

/** A launcher that starts its processes on several machines in turn, the first on machine a, where it runs itself. */
export function onMachines(
  launcher: LauncherHere,
  { count = 2, mbits = MBITS, script = 'exec "$@"' }: MachinesOptions = {},
): LauncherHere {
  const hosts = NAMES.slice(0, count).join(",");
  const named = [launcher.name === "Open MPI" ? "--host" : "-hosts", hosts];
  const inside = ["bash", "-c", script, "bash", ...launcher.words, ...named];
  return { ...launcher, words: [MACHINES, `${count}`, `${mbits}`, ...inside] };
}

/**
 * The processes of Node.js on machines, by their ranks.
 *
 * @param pid of the launcher, as it was started from here
 */
export async function ranksOnMachines(pid: number): Promise<Map<number, number>> {
  const inside = await readlink(`/proc/${pid}/ns/pid_for_children`);
  const found = new Map<number, number>();
  for (const name of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const place = await readlink(`/proc/${name}/ns/pid`).catch(() => "");
    const program = await readlink(`/proc/${name}/exe`).catch(() => "");
    if (place !== inside || program !== process.execPath) continue;
    const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    const [, rank] = /(?:^|\0)(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)/.exec(environment) ?? [];
    if (rank !== undefined) found.set(Number(rank), Number(name));
  }
  return found;
}
