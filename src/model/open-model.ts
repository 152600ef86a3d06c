import { backendWarnings, selectBackend } from "../backends/select.js";
import type { BackendName } from "../defaults.js";
import { CharRnn } from "./char-rnn.js";
import type { ModelConfig } from "./config.js";
import { loadWeights } from "./load-weights.js";

/** What computes. */
export interface Engine {
  readonly backend: BackendName | "auto";
  /** As many as the processor has cores when undefined. */
  readonly threads: number | undefined;
}

/**
 * A model with saved weights, on the backend that was asked for.
 *
 * @param onWarning is told at once what slows it down
 * @throws CharnnError where the backend can't be had
 */
export async function openModel(
  config: ModelConfig,
  tensors: ReadonlyMap<string, { readonly data: ArrayLike<number> }>,
  { backend, threads }: Engine,
  onWarning?: (message: string) => void,
): Promise<CharRnn> {
  const selected = await selectBackend(backend, threads);
  for (const message of backendWarnings(selected, threads)) onWarning?.(message);
  const model = new CharRnn(config);
  loadWeights(model, tensors);
  return model;
}
