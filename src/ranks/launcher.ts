import { CharnnError } from "../errors.js";
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
  /** Of this process among those on its machine, from 0 up; undefined where it does not tell. */
  readonly localRank: number | undefined;
  /** Whether all of them are on one machine. */
  readonly onOneMachine: boolean;
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
 * @throws CharnnError `MPI_UNAVAILABLE` where `srun` has started several processes without MPI
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
    OMPI_COMM_WORLD_LOCAL_RANK,
    OMPI_COMM_WORLD_LOCAL_SIZE,
    PMI_SIZE,
    PMI_RANK,
    PMIX_RANK,
    MPI_LOCALRANKID,
    MPI_LOCALNRANKS,
    SLURM_PROCID,
    SLURM_STEP_NUM_NODES,
    SLURM_STEP_NUM_TASKS,
  } = environment;
  if (OMPI_COMM_WORLD_SIZE !== undefined) {
    return {
      name: "Open MPI",
      command: "mpirun",
      size: count(OMPI_COMM_WORLD_SIZE),
      rank: count(OMPI_COMM_WORLD_RANK),
      localRank: countOrUndefined(OMPI_COMM_WORLD_LOCAL_RANK),
      onOneMachine: OMPI_COMM_WORLD_LOCAL_SIZE === OMPI_COMM_WORLD_SIZE,
      families: ["Open MPI"],
    };
  }
  // Slurm speaks MPICH's protocol too, which it calls PMI-2.
  const isSlurm = SLURM_PROCID !== undefined && MPI_LOCALRANKID === undefined;
  if (PMI_SIZE !== undefined && !isSlurm) {
    return {
      name: "MPICH",
      command: "mpirun",
      size: count(PMI_SIZE),
      rank: count(PMI_RANK),
      localRank: countOrUndefined(MPI_LOCALRANKID),
      onOneMachine: MPI_LOCALNRANKS === PMI_SIZE,
      families: ["MPICH"],
    };
  }
  if (!isSlurm) return undefined;
  // Only what srun starts has a number of tasks of its step: not a batch script, nor a shell of salloc.
  const size = count(SLURM_STEP_NUM_TASKS);
  const rank = PMIX_RANK ?? PMI_RANK;
  if (rank === undefined && size > 1) throw withoutMpi(size);
  return {
    name: "Slurm",
    command: "srun",
    size,
    rank: count(rank),
    localRank: countOrUndefined(environment.SLURM_LOCALID),
    onOneMachine: SLURM_STEP_NUM_NODES === "1",
    families: PMIX_RANK !== undefined ? ["Open MPI", "MPICH"] : ["MPICH", "Open MPI"],
  };
}

function withoutMpi(size: number): CharnnError {
  return new CharnnError(
    "MPI_UNAVAILABLE",
    `srun started this as one of ${size} tasks, but without MPI.`,
    "Start them with srun --mpi=pmix for Open MPI, or srun --mpi=pmi2 for MPICH; srun --mpi=list shows what your cluster has. With `mpi: off` each task trains a run of its own.",
  );
}

function countOrUndefined(text: string | undefined): number | undefined {
  const number = count(text);
  return Number.isNaN(number) ? undefined : number;
}

/** A whole number; NaN where it is none. */
function count(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}
