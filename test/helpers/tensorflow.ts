import { describe } from "node:test";
import { openBackend } from "#src/backends/select.js";
import { TensorFlowBackend } from "#src/backends/tensorflow/tensorflow-backend.js";

/** A suite of the tensorflow backend; skipped, with the reason, where it does not load. */
export async function onTensorFlow(
  title: string,
  define: (backend: TensorFlowBackend) => void,
): Promise<void> {
  const backend = await openBackend("tensorflow").catch((error: Error) => error);
  const skip =
    backend instanceof Error && `${backend.message}; charnn doctor --install-tensorflow gets it`;
  describe(title, { skip }, () => {
    if (backend instanceof TensorFlowBackend) define(backend);
  });
}
