import { type Checkpoint, isWeight, readCheckpoint } from "../checkpoint/checkpoint.js";
import type { Inputs } from "../data/inputs.js";
import { spaced } from "../text.js";
import { inTurns } from "../turns.js";
import { type Neighbours, neighboursOf } from "./neighbours.js";
import { type TextView, type ViewSettings, viewText } from "./view-text.js";

/** What a report shows of a model, by one of its checkpoints. */
export interface ModelParts {
  /** Names and values. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly neighbours: readonly Neighbours[];
  readonly vocabularySize: number;
  readonly view: TextView | undefined;
  readonly warnings: readonly string[];
}

/** Of a run without a checkpoint. */
export const NO_MODEL: ModelParts = {
  settings: [],
  neighbours: [],
  vocabularySize: 0,
  view: undefined,
  warnings: [],
};

/**
 * Reads a checkpoint, and looks at a text with its model.
 *
 * @param text left out where there is no text to look at
 * @throws CharnnError for a checkpoint or a text that can't be read, and the signal's reason
 */
export async function modelParts(
  path: string,
  text: ViewSettings | undefined,
  options: { readonly inputs: Inputs; readonly signal: AbortSignal | undefined },
): Promise<ModelParts> {
  const checkpoint = await readCheckpoint(path, { signal: options.signal, onTensor: isWeight });
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning);
  const view = text && (await viewText(checkpoint, text, { ...options, onWarning }));
  return {
    settings: settingsOf(checkpoint),
    neighbours: await inTurns(neighboursOf(checkpoint, view?.counts), options.signal),
    vocabularySize: checkpoint.vocabulary.size,
    view,
    warnings,
  };
}

function settingsOf({ config, progress }: Checkpoint): [name: string, value: string][] {
  const { fingerprint, ...text } = config.text;
  const groups = { model: config.model, text, training: config.training, limits: config.limits };
  const rows = Object.entries(groups).flatMap(([group, values]) =>
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [`${group}: ${spaced(name)}`, shown(value)]),
  );
  return [...rows, ["checkpoint: step", shown(progress.step)]];
}

function shown(value: unknown): string {
  if (typeof value === "number") return value >= 1_000 ? value.toLocaleString("en") : String(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
