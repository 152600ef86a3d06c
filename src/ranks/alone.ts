import { hostname } from "node:os";
import type { Ranks } from "./ranks.js";

/** A process that was started by itself. */
export function alone(): Ranks {
  return {
    rank: 0,
    size: 1,
    machine: hostname(),
    library: undefined,
    exchange: (sent, received) => received.bytes.set(sent.bytes),
    gather: (own, received) => received.bytes.set(own),
    broadcast() {},
    abort() {},
    close() {},
  };
}
