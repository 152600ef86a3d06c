/** Real launchers of MPI, where they are installed. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { onTheAddon } from "./addon.js";
import { EXECUTABLE, type Outcome, outcomeOf, plainEnvironment } from "./executable.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** After these milliseconds a launcher hangs, as its processes do that wait for each other. */
const MOST = 60_000;
/** What it may take then to end its processes. */
const MOST_TO_END = 5_000;

/** A launcher, and the words that start it. */
export interface LauncherHere {
  readonly name: "Open MPI" | "MPICH";
  /** A library of the other MPI, by which its processes do not find each other. */
  readonly otherLibrary: string;
  /** Why it can't be used here; false where it can. */
  readonly skip: string | false;
  readonly words: readonly string[];
}

const LAUNCHERS: readonly LauncherHere[] = [
  launcher({
    name: "Open MPI",
    otherLibrary: "libmpich.so.12",
    programs: ["mpirun.openmpi", "mpirun"],
    says: /open-?mpi|OpenRTE|Open MPI/i,
    // More processes than cores, on any of them.
    options: ["--oversubscribe", "--bind-to", "none"],
    cure: "apt-get install openmpi-bin",
  }),
  launcher({
    name: "MPICH",
    otherLibrary: "libmpi.so.40",
    programs: ["mpirun.mpich", "mpiexec.hydra", "mpirun"],
    says: /HYDRA/,
    options: [],
    cure: "apt-get install mpich",
  }),
];

interface Description extends Pick<LauncherHere, "name" | "otherLibrary"> {
  readonly programs: readonly string[];
  /** In what it prints of its version. */
  readonly says: RegExp;
  readonly options: readonly string[];
  readonly cure: string;
}

function launcher(description: Description): LauncherHere {
  const { name, otherLibrary, programs, says, options, cure } = description;
  const program = programs.find((test) => {
    const { stdout } = spawnSync(test, ["--version"], { encoding: "utf8", env: environment() });
    return says.test(stdout ?? "");
  });
  const skip = program === undefined && `${name} is not installed: ${cure}`;
  return { name, otherLibrary, skip, words: [program ?? "mpirun", ...options] };
}

/** A suite for each launcher that also needs the addon. */
export function onEveryLauncher(title: string, define: (launcher: LauncherHere) => void): void {
  for (const each of LAUNCHERS) onTheAddon(`${title} by ${each.name}`, () => define(each));
}

/** Runs a module of these lines in several processes, to the end of all. */
export async function runTogether(
  t: Pick<TestContext, "after">,
  launcher: LauncherHere,
  processes: number,
  lines: string,
): Promise<Outcome> {
  const node = ["--input-type=module", "--eval", lines];
  return outcomeOf(startTogether(t, launcher, ["-n", `${processes}`, process.execPath, ...node]));
}

/**
 * Starts what a launcher is told to. It ends with the test, or when it has taken so long that it must hang.
 *
 * @param words after the launcher's own options
 */
function startTogether(
  t: Pick<TestContext, "after">,
  { words: [program, ...options] }: LauncherHere,
  words: readonly string[],
  cwd = ROOT,
): ChildProcessWithoutNullStreams {
  const child = spawn(program, [...options, ...words], { cwd, env: environment() });
  // A launcher that is asked to end ends its processes, and one that is killed leaves them behind.
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), MOST_TO_END);
    await closed.finally(() => clearTimeout(timer));
  };
  const timer = setTimeout(end, MOST);
  child.once("close", () => clearTimeout(timer));
  t.after(end);
  return child;
}

/**
 * Starts charnn in several processes.
 *
 * @param by words of a program that starts each of them
 * @param others words for the launcher that start more processes
 */
export function startCharnnTogether(
  t: Pick<TestContext, "after">,
  launcher: LauncherHere,
  processes: number,
  args: readonly string[],
  cwd: string,
  { by = [], others = [] }: { by?: readonly string[]; others?: readonly string[] } = {},
): ChildProcessWithoutNullStreams {
  const words = ["-n", `${processes}`, ...by, process.execPath, EXECUTABLE, ...args];
  return startTogether(t, launcher, others.length > 0 ? [...words, ":", ...others] : words, cwd);
}

/** The same, to the end of all. */
export function charnnTogether(
  ...started: Parameters<typeof startCharnnTogether>
): Promise<Outcome> {
  const child = startCharnnTogether(...started);
  child.stdin.end();
  return outcomeOf(child);
}

function environment(): NodeJS.ProcessEnv {
  return {
    ...plainEnvironment(),
    OMPI_ALLOW_RUN_AS_ROOT: "1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
    // A process of a container may not read the memory of another.
    OMPI_MCA_btl_vader_single_copy_mechanism: "none",
  };
}
