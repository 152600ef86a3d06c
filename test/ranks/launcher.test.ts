import assert from "node:assert/strict";
import { test } from "node:test";
import { type Environment, findLauncher, type Launcher } from "#src/ranks/launcher.js";

type Found = Omit<Launcher, "libraries"> & { readonly families: string };

const OPEN_MPI: Environment = {
  OMPI_COMM_WORLD_SIZE: "4",
  OMPI_COMM_WORLD_RANK: "3",
  OMPI_COMM_WORLD_LOCAL_RANK: "1",
  OMPI_COMM_WORLD_LOCAL_SIZE: "2",
  PMIX_RANK: "3",
};
const MPICH: Environment = {
  PMI_SIZE: "4",
  PMI_RANK: "3",
  MPI_LOCALRANKID: "1",
  MPI_LOCALNRANKS: "2",
};
/** Of a job, which a batch script has too. */
const SLURM: Environment = {
  SLURM_NTASKS: "7",
  SLURM_PROCID: "0",
  SLURM_LOCALID: "0",
};
/** Of a task that srun starts without MPI. */
const TASK: Environment = {
  ...SLURM,
  SLURM_PROCID: "5",
  SLURM_LOCALID: "1",
  SLURM_STEP_NUM_TASKS: "7",
};
const SRUN: Environment = { ...TASK, PMIX_RANK: "5" };

const openMpi: Found = {
  name: "Open MPI",
  command: "mpirun",
  size: 4,
  rank: 3,
  localRank: 1,
  onOneMachine: false,
  families: "Open MPI",
};
const mpich: Found = { ...openMpi, name: "MPICH", families: "MPICH" };
const slurm: Found = {
  name: "Slurm",
  command: "srun",
  size: 7,
  rank: 5,
  localRank: 1,
  onOneMachine: false,
  families: "Open MPI, MPICH",
};

const CASES: [title: string, environment: Environment, expected: Found | undefined][] = [
  ["nothing", {}, undefined],
  ["Open MPI's mpirun", OPEN_MPI, openMpi],
  ["Open MPI's mpirun with one process", { ...OPEN_MPI, OMPI_COMM_WORLD_SIZE: "1" }, undefined],
  [
    "Open MPI's mpirun that does not tell which one of its machine it is",
    { ...OPEN_MPI, OMPI_COMM_WORLD_LOCAL_RANK: undefined },
    { ...openMpi, localRank: undefined },
  ],
  ["Open MPI's mpirun in a job of Slurm", { ...SRUN, ...OPEN_MPI }, openMpi],
  [
    "Open MPI's mpirun on one machine",
    { ...OPEN_MPI, OMPI_COMM_WORLD_LOCAL_SIZE: "4" },
    { ...openMpi, onOneMachine: true },
  ],
  [
    "Open MPI's mpirun in a job of Slurm, with one process",
    { ...SRUN, OMPI_COMM_WORLD_SIZE: "1", OMPI_COMM_WORLD_RANK: "0" },
    undefined,
  ],
  ["MPICH's mpirun", MPICH, mpich],
  [
    "MPICH's mpirun on one machine",
    { ...MPICH, MPI_LOCALNRANKS: "4" },
    { ...mpich, onOneMachine: true },
  ],
  ["MPICH's mpirun with one process", { ...MPICH, PMI_SIZE: "1", PMI_RANK: "0" }, undefined],
  ["MPICH's mpirun in a job of Slurm", { ...SLURM, ...MPICH }, mpich],
  [
    "another launcher with MPICH's protocol",
    { PMI_SIZE: "4", PMI_RANK: "3" },
    { ...mpich, localRank: undefined },
  ],
  ["a batch script of Slurm", SLURM, undefined],
  ["a shell of salloc", { ...SLURM, SLURM_PROCID: undefined, SLURM_LOCALID: undefined }, undefined],
  [
    "an interactive step of salloc",
    { ...SLURM, SLURM_STEP_NUM_TASKS: "1", SLURM_MPI_TYPE: "none" },
    undefined,
  ],
  ["srun with PMIx", SRUN, slurm],
  ["srun on one machine", { ...SRUN, SLURM_STEP_NUM_NODES: "1" }, { ...slurm, onOneMachine: true }],
  [
    "srun that does not tell which one of its machine it is",
    { ...SRUN, SLURM_LOCALID: undefined },
    { ...slurm, localRank: undefined },
  ],
  [
    "srun with PMI-2",
    { ...TASK, PMI_RANK: "5", PMI_SIZE: "7", PMI_FD: "11" },
    { ...slurm, families: "MPICH, Open MPI" },
  ],
  [
    "srun with fewer tasks than the job has",
    { ...SRUN, SLURM_STEP_NUM_TASKS: "6" },
    { ...slurm, size: 6 },
  ],
  ["a shell of srun in a job", { ...SRUN, SLURM_STEP_NUM_TASKS: "1", PMIX_RANK: "0" }, undefined],
  ["a number of processes and no rank", { OMPI_COMM_WORLD_SIZE: "4" }, undefined],
  ["a rank that is too high", { ...OPEN_MPI, OMPI_COMM_WORLD_RANK: "4" }, undefined],
  ["what is no number", { ...OPEN_MPI, OMPI_COMM_WORLD_SIZE: "four" }, undefined],
  ["an empty text", { ...MPICH, PMI_SIZE: "" }, undefined],
];

for (const [title, environment, expected] of CASES) {
  const what = expected
    ? `${expected.name}, rank ${expected.rank} of ${expected.size}`
    : "no launcher";
  test(`The launcher is found by what it has set: ${title} gives ${what}`, () => {
    const launcher = findLauncher(environment, (families) => [families.join(", ")]);
    if (expected === undefined) return assert.equal(launcher, undefined);
    const { families, ...others } = expected;
    assert.deepEqual(launcher, { ...others, libraries: [families] });
  });
}

test("Tasks that srun has started without MPI are told how to start them with it", () => {
  assert.throws(() => findLauncher(TASK, () => []), {
    code: "MPI_UNAVAILABLE",
    message: "srun started this as one of 7 tasks, but without MPI.",
    hint: /--mpi=pmi2/,
  });
});
