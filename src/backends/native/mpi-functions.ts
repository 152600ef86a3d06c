/** The functions of the addon by which processes exchange bytes; `native/mpi/mpi.h` says what they do. */

/** Bytes of all processes, one after the other's in the order of their ranks. */
interface MpiParts {
  readonly received: Uint8Array;
  /** In bytes, one for each process; they add up to less than 2 GiB. */
  readonly receivedLengths: Int32Array;
}

/** All but the first throw an error while MPI is not open. Those that move bytes wait for the other processes. */
export interface MpiFunctions {
  /**
   * Loads the first of some libraries that is there, and starts MPI. A process can do so once, and must call
   * `closeMpi` before it ends: else it ends the others too.
   *
   * @throws Error with the code `CHARNN_MPI_UNAVAILABLE` that says why none loads; more may be tried then
   */
  openMpi(settings: { readonly libraries: readonly string[] }): {
    readonly rank: number;
    /** How many processes there are. */
    readonly size: number;
    /** The path of the library that was loaded. */
    readonly file: string;
    /** What it says of itself, in one line or several. */
    readonly version: string;
  };
  exchangeBytes(
    parts: MpiParts & { readonly sent: Uint8Array; readonly sentLengths: Int32Array },
  ): void;
  gatherBytes(parts: MpiParts & { readonly own: Uint8Array }): void;
  broadcastBytes(message: { readonly bytes: Uint8Array; readonly root: number }): void;
  /** Ends all processes with this exit code, as far as the launcher passes it on. */
  abortMpi(end: { readonly code: number }): never;
  /** Waits for the others to do so. */
  closeMpi(nothing: object): void;
}
