import { homedir } from "node:os";
import { join } from "node:path";

/** Where programs keep what they need and the user does not look at. */
export function dataFolder(): string {
  return process.env.XDG_DATA_HOME || join(homedir(), ".local", "share");
}

/** Where charnn keeps the TensorFlow that it was told to install. */
export function tensorFlowFolder(place: string = dataFolder()): string {
  return join(place, "charnn", "tensorflow");
}
