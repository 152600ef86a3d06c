import type { Backend } from "../backends/backend.js";
import { backendWarnings, selectBackend } from "../backends/select.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { ModelConfig } from "../config/model.js";
import { parameterCount } from "../config/parameters.js";
import type { BackendSettings } from "../config/shared.js";
import { type MemoryNeed, refuseTooLarge } from "../memory.js";
import { CharRnn } from "../model/char-rnn.js";
import { loadWeights } from "../model/load-weights.js";
import { parameterBytes, streamsBytes, threadsBytes, windowBytes } from "../model/memory-need.js";
import { formatCount, memorySize } from "../text.js";
import { Turns } from "../turns.js";

/** What a model is opened for: texts to be written side by side, or windows to be read. */
export type Purpose =
  | { readonly streams: number }
  | { readonly time: number; readonly batch: number };

/**
 * The model of a checkpoint, on the backend that was asked for.
 *
 * @param onWarning called at once with what slows it down
 * @throws CharnnError where the backend is not available, or there is not enough memory
 */
export async function openNetwork(
  { config, tensors }: Checkpoint,
  { backend = "auto", threads }: BackendSettings,
  purpose: Purpose,
  onWarning?: (message: string) => void,
): Promise<CharRnn> {
  // When many are opened at the same time, each gets a turn to itself.
  await new Turns().take();
  const selected = await selectBackend(backend, threads);
  for (const message of backendWarnings(selected, threads)) onWarning?.(message);
  refuseTooLarge(needOf(config.model, selected.backend, purpose));
  const model = new CharRnn(selected.backend, config.model);
  loadWeights(model, tensors);
  return model;
}

function needOf(config: ModelConfig, backend: Backend, purpose: Purpose): MemoryNeed {
  // The weights of the model, and on the way there another copy.
  const always = 2 * parameterBytes(config) + threadsBytes(backend);
  const parameters = `a model of ${formatCount(parameterCount(config))} parameters`;
  if (!("streams" in purpose)) {
    const bytes = always + windowBytes(config, backend.name, purpose);
    const hint = `Give it ${memorySize(bytes)} more, or use a smaller model.`;
    return { what: `Reading text with ${parameters}`, bytes, hint };
  }
  const bytesFor = (count: number) => always + streamsBytes(config, count);
  const { streams } = purpose;
  return {
    what: `Writing ${streams === 1 ? "text" : `${streams} texts side by side`} with ${parameters}`,
    bytes: bytesFor(streams),
    code: streams === 1 ? "OUT_OF_MEMORY" : "INVALID_SETTING",
    hint(left) {
      const most = Math.floor((0.9 * left - bytesFor(0)) / (bytesFor(1) - bytesFor(0)));
      return most > 0
        ? `What fits: \`count: ${Math.min(most, streams)}\`.`
        : `Give it ${memorySize(bytesFor(1))} more, or use a smaller model.`;
    },
  };
}
