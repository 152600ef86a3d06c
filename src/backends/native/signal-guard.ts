import { type Addon, systemCalls } from "./addon.js";

/**
 * Ends the process at a repeated signal, even while a long call keeps JavaScript waiting. Without the
 * addon there is no such guard. The handlers of Node must be there before.
 *
 * @returns gives the signals back to the handlers of Node
 */
export function guardSignals(how: Parameters<Addon["guardSignals"]>[0]): () => void {
  const addon = systemCalls();
  addon?.guardSignals(how);
  return () => addon?.releaseSignals({});
}
