import { type CheckpointFacts, isWeight, readCheckpoint } from "../checkpoint/checkpoint.js";
import type { Inputs } from "../data/inputs.js";
import { inTurns } from "../turns.js";
import { type Counts, type VocabularyView, vocabularyView } from "./neighbours.js";
import { type OnWork, type TextView, type ViewSettings, viewText } from "./view-text.js";

/** What a report shows of a model, by one of its checkpoints. */
export interface ModelParts {
  /** What the checkpoint says of itself; undefined where there is none. */
  readonly facts: CheckpointFacts | undefined;
  readonly vocabulary: VocabularyView | undefined;
  readonly view: TextView | undefined;
  readonly warnings: readonly string[];
}

/** Of a run without a checkpoint. */
export const NO_MODEL: ModelParts = {
  facts: undefined,
  vocabulary: undefined,
  view: undefined,
  warnings: [],
};

interface PartsOptions {
  readonly inputs: Inputs;
  readonly signal: AbortSignal | undefined;
  readonly onWork?: OnWork | undefined;
  /** How often each character of a text occurs, for a model that is not to look at it. */
  readonly counts?: ((facts: CheckpointFacts) => Counts | undefined) | undefined;
}

/**
 * Reads a checkpoint, and looks at a text with its model.
 *
 * @param text left out where there is no text to look at
 * @throws CharnnError for a checkpoint or a text that can't be read, and the signal's reason
 */
export async function modelParts(
  path: string,
  text: ViewSettings | undefined,
  { counts: otherCounts, ...options }: PartsOptions,
): Promise<ModelParts> {
  const { signal, onWork } = options;
  const checkpoint = await readCheckpoint(path, { signal, onTensor: isWeight });
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning);
  const view = text && (await viewText(checkpoint, text, { ...options, onWarning }));
  const { tensors, ...facts } = checkpoint;
  onWork?.("vocabulary");
  const counts = view ? view.counts : otherCounts?.(facts);
  const vocabulary = await inTurns(vocabularyView(checkpoint, counts), signal);
  return { facts, vocabulary, view, warnings };
}
