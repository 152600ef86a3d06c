import { writeSync } from "node:fs";
import type { Environment } from "./launcher.js";

/** After this a launcher does not end this process any more. */
const MOST_MILLISECONDS = 2_000;
/** How long the launcher has to read the error: it reads no more output once it was told to end all processes. */
const MILLISECONDS_TO_READ = 200;

/**
 * Has the launcher end the other processes, which wait for this one in the start of MPI, and this one. MPICH's does not
 * do so by itself where a process ends that has not started MPI; with others there is nothing to do.
 *
 * It is told by PMI-1, the protocol of MPICH's launcher and those derived from it (P. Balaji et al., "PMI: A Scalable
 * Parallel Process-Management Interface for Extreme-Scale Systems", 2010).
 *
 * @param environment as the launcher has set it
 * @param code with which the launcher is to exit
 */
export function endOthers({ PMI_FD, MPI_LOCALRANKID }: Environment, code: number): void {
  // Slurm has the one without the other, and speaks PMI-2.
  if (PMI_FD === undefined || MPI_LOCALRANKID === undefined) return;
  wait(MILLISECONDS_TO_READ);
  try {
    writeSync(
      Number(PMI_FD),
      `cmd=init pmi_version=1 pmi_subversion=1\ncmd=abort exitcode=${code}\n`,
    );
    // It answers the first line, and fails itself where nobody is there to listen; then it ends this process.
    wait(MOST_MILLISECONDS);
  } catch {
    // A program between the launcher and this one has closed it.
  }
}

function wait(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
