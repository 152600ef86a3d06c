import { join } from "node:path";
import { dataFolder } from "../../data-folder.js";

/** Where charnn keeps the TensorFlow that it was told to install. */
export function tensorFlowFolder(place: string = dataFolder()): string {
  return join(place, "charnn", "tensorflow");
}
