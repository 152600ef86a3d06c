import { describe } from "node:test";
import { selectBackend } from "#src/backends/select.js";
import { type LoadedTensorFlow, loadTensorFlow } from "#src/backends/tensorflow/load.js";

/** A suite of the tensorflow backend; skipped, with the reason, where it does not load. */
export async function onTensorFlow(
  title: string,
  define: (loaded: LoadedTensorFlow) => void,
): Promise<void> {
  let skip: string | false = false;
  try {
    await selectBackend("tensorflow");
  } catch (error) {
    skip = `${(error as Error).message} charnn doctor --install-tensorflow gets it`;
  }
  describe(title, { skip }, () => {
    if (!skip) define(loadTensorFlow(1));
  });
}
