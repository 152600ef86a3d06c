import assert from "node:assert/strict";
import { test } from "node:test";
import { type Environment, findLauncher, type Launcher } from "#src/ranks/launcher.js";

type Found = Omit<Launcher, "libraries"> & { readonly families: string };

const OPEN_MPI: Environment = {
  OMPI_COMM_WORLD_SIZE: "4",
  OMPI_COMM_WORLD_RANK: "3",
  OMPI_COMM_WORLD_LOCAL_SIZE: "2",
  PMIX_RANK: "3",
};
const MPICH: Environment = { PMI_SIZE: "4", PMI_RANK: "3", MPI_LOCALNRANKS: "2" };
/** Of a job, which a batch script has too. */
const SLURM: Environment = {
  SLURM_NTASKS: "7",
  SLURM_PROCID: "0",
  SLURM_NODEID: "2",
  SLURM_TASKS_PER_NODE: "2(x2),3",
};
const SRUN: Environment = { ...SLURM, PMIX_RANK: "5" };

const openMpi: Found = {
  name: "Open MPI",
  command: "mpirun",
  size: 4,
  rank: 3,
  localSize: 2,
  families: "Open MPI",
};
const mpich: Found = { ...openMpi, name: "MPICH", families: "MPICH" };
const slurm: Found = {
  name: "Slurm",
  command: "srun",
  size: 7,
  rank: 5,
  localSize: 3,
  families: "Open MPI, MPICH",
};

const CASES: [title: string, environment: Environment, expected: Found | undefined][] = [
  ["nothing", {}, undefined],
  ["Open MPI's mpirun", OPEN_MPI, openMpi],
  ["Open MPI's mpirun with one process", { ...OPEN_MPI, OMPI_COMM_WORLD_SIZE: "1" }, undefined],
  [
    "Open MPI's mpirun that does not tell how many are here",
    { ...OPEN_MPI, OMPI_COMM_WORLD_LOCAL_SIZE: undefined },
    { ...openMpi, localSize: undefined },
  ],
  ["Open MPI's mpirun in a job of Slurm", { ...SRUN, ...OPEN_MPI }, openMpi],
  [
    "Open MPI's mpirun in a job of Slurm, with one process",
    { ...SRUN, OMPI_COMM_WORLD_SIZE: "1", OMPI_COMM_WORLD_RANK: "0" },
    undefined,
  ],
  ["MPICH's mpirun", MPICH, mpich],
  ["MPICH's mpirun that listens", { ...MPICH, PMI_FD: "6" }, { ...mpich, pmiFile: 6 }],
  ["MPICH's mpirun with one process", { ...MPICH, PMI_SIZE: "1", PMI_RANK: "0" }, undefined],
  ["MPICH's mpirun in a job of Slurm", { ...SLURM, ...MPICH }, mpich],
  [
    "another launcher with MPICH's protocol",
    { PMI_SIZE: "4", PMI_RANK: "3" },
    { ...mpich, localSize: undefined },
  ],
  ["a batch script of Slurm", SLURM, undefined],
  ["srun", SRUN, slurm],
  [
    "srun on its first machine",
    { ...SRUN, PMIX_RANK: "1", SLURM_NODEID: "0" },
    { ...slurm, rank: 1, localSize: 2 },
  ],
  ["srun on its second machine", { ...SRUN, SLURM_NODEID: "1" }, { ...slurm, localSize: 2 }],
  [
    "srun on a machine that is not listed",
    { ...SRUN, SLURM_NODEID: "3" },
    { ...slurm, localSize: undefined },
  ],
  [
    "srun with PMI-2",
    { ...SLURM, PMI_RANK: "5", PMI_SIZE: "7" },
    { ...slurm, families: "MPICH, Open MPI" },
  ],
  [
    "srun with fewer tasks than the job has",
    { ...SRUN, SLURM_STEP_NUM_TASKS: "6", SLURM_STEP_TASKS_PER_NODE: "2(x3)" },
    { ...slurm, size: 6, localSize: 2 },
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
