import type { SharedCores } from "./cores.js";
import type { Parts } from "./parts.js";

/**
 * Processes that do one work together, here or on several machines, each of which runs the same program. All
 * call the same functions in the same order, and wait in each until the others have come to it.
 */
export interface Ranks {
  /** Of this process, from 0 up. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** The name of the machine that this process runs on. */
  readonly machine: string;
  /** How they share the cores of their machines, where that was found out. */
  readonly cores?: SharedCores | undefined;
  /** What moves the bytes, with its version; undefined where there is one process. */
  readonly library: string | undefined;
  /** Sends each rank its part, and receives one from each. Both ends of a transfer must have the same length for it. */
  exchange(sent: Parts, received: Parts): void;
  /**
   * Receives a part from every rank.
   *
   * @param own as long as its place in `received`, and not a part of it
   * @param received of the same lengths in all ranks
   */
  gather(own: Uint8Array, received: Parts): void;
  /** Overwrites bytes by those of the rank `root`, which are as many. */
  broadcast(bytes: Uint8Array, root: number): void;
  /** Ends all processes at once, this one too; returns only where it is alone. */
  abort(code: number): void;
  /**
   * Parts from the others, when all do so. A process that ends without it, as one with an error that the others do
   * not know of must, ends them too.
   */
  close(): void;
}
