import { type MpiFamily, mpiLibraries } from "./mpi-libraries.js";

/** What has started this process as one of several, and which of them this is. */
export interface Launcher {
  readonly name: "Open MPI" | "MPICH" | "Slurm";
  /** As it is typed. */
  readonly command: "mpirun" | "srun";
  /** How many processes it has started: 2 or more. */
  readonly size: number;
  /** Of this process, from 0 up. */
  readonly rank: number;
  /** How many of them are on this machine; undefined where it does not tell. */
  readonly localSize: number | undefined;
  /** The file descriptor through which MPICH's is told things, by lines of its PMI-1 protocol. */
  readonly pmiFile?: number;
  /** The MPI libraries that may belong to it, the likeliest first: paths, and names for the system's loader. */
  readonly libraries: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

type Found = Omit<Launcher, "libraries"> & { readonly families: readonly MpiFamily[] };

/**
 * The launcher of this process, by the environment variables that it has set; undefined where the process was
 * started alone, or by a launcher as its only one.
 *
 * @param libraries finds the libraries of some families, the likeliest family first
 */
export function findLauncher(
  environment: Environment,
  libraries: (families: readonly MpiFamily[]) => readonly string[] = (families) =>
    mpiLibraries(families, environment),
): Launcher | undefined {
  const found = readEnvironment(environment);
  if (!found || !(found.size > 1) || !(found.rank < found.size)) return undefined;
  const { families, ...launcher } = found;
  return { ...launcher, libraries: libraries(families) };
}

/** The first of them that is there decides: what started a launcher may have left its own variables. */
function readEnvironment(environment: Environment): Found | undefined {
  const {
    OMPI_COMM_WORLD_SIZE,
    OMPI_COMM_WORLD_RANK,
    OMPI_COMM_WORLD_LOCAL_SIZE,
    PMI_SIZE,
    PMI_RANK,
    PMI_FD,
    PMIX_RANK,
    MPI_LOCALNRANKS,
    SLURM_PROCID,
  } = environment;
  if (OMPI_COMM_WORLD_SIZE !== undefined) {
    return {
      name: "Open MPI",
      command: "mpirun",
      size: count(OMPI_COMM_WORLD_SIZE),
      rank: count(OMPI_COMM_WORLD_RANK),
      localSize: countOrUndefined(OMPI_COMM_WORLD_LOCAL_SIZE),
      families: ["Open MPI"],
    };
  }
  // Slurm speaks MPICH's protocol too, which it calls PMI-2.
  const isSlurm = SLURM_PROCID !== undefined && MPI_LOCALNRANKS === undefined;
  if (PMI_SIZE !== undefined && !isSlurm) {
    return {
      name: "MPICH",
      command: "mpirun",
      size: count(PMI_SIZE),
      rank: count(PMI_RANK),
      localSize: countOrUndefined(MPI_LOCALNRANKS),
      ...(PMI_FD !== undefined && { pmiFile: count(PMI_FD) }),
      families: ["MPICH"],
    };
  }
  // A batch script has a number of tasks and a number of its own as well, but no rank.
  const rank = PMIX_RANK ?? PMI_RANK;
  if (!isSlurm || rank === undefined) return undefined;
  return {
    name: "Slurm",
    command: "srun",
    size: count(environment.SLURM_STEP_NUM_TASKS ?? environment.SLURM_NTASKS),
    rank: count(rank),
    localSize: tasksOfNode(environment),
    families: PMIX_RANK !== undefined ? ["Open MPI", "MPICH"] : ["MPICH", "Open MPI"],
  };
}

/** Slurm lists the tasks of each node: `4(x2),3` are 4, 4 and 3. */
function tasksOfNode(environment: Environment): number | undefined {
  const list = environment.SLURM_STEP_TASKS_PER_NODE ?? environment.SLURM_TASKS_PER_NODE ?? "";
  let left = count(environment.SLURM_NODEID);
  for (const [, tasks, nodes] of list.matchAll(/(\d+)(?:\(x(\d+)\))?/g)) {
    left -= Number(nodes ?? 1);
    if (left < 0) return Number(tasks);
  }
  return undefined;
}

function countOrUndefined(text: string | undefined): number | undefined {
  const number = count(text);
  return Number.isNaN(number) ? undefined : number;
}

/** A whole number; NaN where it is none. */
function count(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}
