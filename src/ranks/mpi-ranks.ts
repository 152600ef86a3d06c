import { hostname } from "node:os";
import { BackendError } from "../backends/backend-error.js";
import { type Addon, loadAddon } from "../backends/native/addon.js";
import { CharnnError } from "../errors.js";
import { systemErrorCode } from "../system-error-code.js";
import type { Launcher } from "./launcher.js";
import { mayHangAtEnd, settle } from "./mpich.js";
import type { Ranks } from "./ranks.js";

type Opened = ReturnType<Addon["openMpi"]>;

/**
 * Joins the processes that a launcher has started. A process can do so once.
 *
 * @throws CharnnError `MPI_UNAVAILABLE` where none of the launcher's libraries loads, or the one that does belongs to
 *   another MPI
 */
export function openMpiRanks(launcher: Launcher): Ranks {
  try {
    return join(launcher);
  } catch (error) {
    throw namingMachine(error, launcher);
  }
}

function join(launcher: Launcher): Ranks {
  const addon = addonFor(launcher);
  const opened = open(addon, launcher);
  const library = libraryName(opened.version);
  if (opened.size !== launcher.size) {
    // What it has joined is not what others wait for.
    addon.closeMpi({});
    throw ofAnother(launcher, `${opened.file} (${library})`, opened.size);
  }
  const ranks: Ranks = {
    rank: opened.rank,
    size: opened.size,
    machine: hostname(),
    library,
    exchange: (sent, received) =>
      addon.exchangeBytes({
        sent: sent.bytes,
        sentLengths: sent.lengths,
        received: received.bytes,
        receivedLengths: received.lengths,
      }),
    gather: (own, { bytes, lengths }) =>
      addon.gatherBytes({ own, received: bytes, receivedLengths: lengths }),
    broadcast: (bytes, root) => addon.broadcastBytes({ bytes, root }),
    abort: (code) => addon.abortMpi({ code }),
    close: () => {
      if (mayHangAtEnd(library)) settle(ranks);
      addon.closeMpi({});
    },
  };
  return ranks;
}

/** The others can't be told of an error here, so a user must see where it is. */
function namingMachine(error: unknown, { onOneMachine }: Launcher): unknown {
  if (!(error instanceof CharnnError) || onOneMachine) return error;
  const { code, message, hint, cause } = error;
  return new CharnnError(code, `On machine ${hostname()}: ${message}`, hint, { cause });
}

function addonFor({ command, size }: Launcher): Addon {
  try {
    return loadAddon();
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    const what = `${command} started this as one of ${size} processes. The native backend connects them`;
    const message = `${what}, but it does not load: ${error.message}.`;
    throw new CharnnError("MPI_UNAVAILABLE", message, error.cure, { cause: error });
  }
}

function open(addon: Addon, launcher: Launcher): Opened {
  try {
    return addon.openMpi({ libraries: launcher.libraries });
  } catch (error) {
    if (systemErrorCode(error) !== "CHARNN_MPI_UNAVAILABLE") throw error;
    throw noLibrary(launcher, error as Error);
  }
}

function noLibrary({ name, command, size }: Launcher, cause: Error): CharnnError {
  const what = `${command} started this as one of ${size} processes, but no MPI library could be loaded here`;
  return new CharnnError("MPI_UNAVAILABLE", `${what}: ${cause.message}.`, CURES[name], { cause });
}

const CURES: Readonly<Record<Launcher["name"], string>> = {
  "Open MPI":
    "Install Open MPI on this machine, for example: apt-get install openmpi-bin; if it is there, name its library: `mpi: /path/to/libmpi.so.40`.",
  MPICH:
    "Install MPICH on this machine, for example: apt-get install mpich; if it is there, name its library: `mpi: /path/to/libmpi.so.12`.",
  Slurm:
    "Load the module of the MPI that Slurm was set up for, or name its library: `mpi: /path/to/libmpi.so`.",
};

/** @param size how many processes the library sees */
function ofAnother(launcher: Launcher, library: string, size: number): CharnnError {
  const sees = size === 1 ? "only one" : `${size}`;
  return new CharnnError(
    "MPI_UNAVAILABLE",
    `${launcher.command} started ${launcher.size} processes, and ${library} sees ${sees}: it belongs to another MPI.`,
    launcher.name === "Slurm"
      ? "Start them with srun --mpi=pmix for Open MPI, or srun --mpi=pmi2 for MPICH, or name the library that belongs to it: `mpi: /path/to/libmpi.so`."
      : `Use the mpirun that belongs to that library, or name the library of this one, ${launcher.name}: \`mpi: /path/to/libmpi.so\`.`,
  );
}

/** The name and version in what a library says of itself; its first line where they are not found in it. */
function libraryName(text: string): string {
  const [line] = text.split("\n");
  // Open MPI v4.1.4, package: ...; MPICH Version:\t4.0.2; Intel(R) MPI Library 2021.18.1 for Linux* OS
  const [, name, version] = /^(.+?)\s+(?:v|Version\s*:\s*)?(\d[\w.]*)/.exec(line) ?? [];
  return name === undefined ? line.trim() : `${name} ${version}`;
}
