import { spawnSync } from "node:child_process";

/** `mpirun`, as it is found in the path. */
export interface InstalledLauncher {
  /** Which MPI it belongs to, with its version; what it says of itself where that is not known. */
  readonly library: string;
}

/** More than any takes to say its version. */
const MOST_MILLISECONDS = 5_000;

/**
 * The launcher that `mpirun` starts here; undefined where there is none.
 *
 * @param environment with the path to search; that of this process when left out
 */
export function installedLauncher(environment?: NodeJS.ProcessEnv): InstalledLauncher | undefined {
  const { status, stdout } = spawnSync("mpirun", ["--version"], {
    encoding: "utf8",
    env: environment,
    timeout: MOST_MILLISECONDS,
  });
  if (status !== 0 || !stdout.trim()) return undefined;
  const [, open] = /\(Open ?MPI\)\s+(\S+)/i.exec(stdout) ?? [];
  if (open) return { library: `Open MPI ${open}` };
  const [, hydra] = /HYDRA.*?Version:\s+(\S+)/s.exec(stdout) ?? [];
  if (hydra) return { library: `MPICH ${hydra}` };
  return { library: stdout.trim().split("\n")[0] };
}
