import { stopKernelsBy } from "../stop.js";
import { type Addon, systemCalls } from "./addon.js";

/** What the addon does about signals until it is released. */
export interface SignalGuard {
  /** Gives the signals back to the handlers of Node. */
  release(): void;
  /** Lets kernels run again that a signal has stopped. */
  resumeKernels(): void;
}

/**
 * Ends the process at a repeated signal, even while a long call keeps JavaScript waiting, and stops
 * kernels at the first. Without the addon there is no such guard. The handlers of Node must be there
 * before.
 */
export function guardSignals(how: Parameters<Addon["guardSignals"]>[0]): SignalGuard {
  const addon = systemCalls();
  const flag = addon?.guardSignals(how);
  if (flag) stopKernelsBy(flag);
  return {
    release: () => addon?.releaseSignals({}),
    resumeKernels: () => addon?.resumeKernels({}),
  };
}
