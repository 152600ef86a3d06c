import { setImmediate as nextTurn } from "node:timers/promises";
import * as v from "valibot";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { SAMPLE_DEFAULTS } from "../defaults.js";
import { openModel } from "../model/open-model.js";
import { Random } from "../random.js";
import {
  backendSettings,
  checked,
  definedOnly,
  numberAboveZero,
  numberFromZero,
  wholeNumber,
} from "../settings.js";
import { generate } from "./sampler.js";

const sampleSettingsSchema = v.strictObject({
  /** The text to go on from. */
  seed: v.optional(v.string()),
  /** New characters of each text; -1: without end. */
  length: v.optional(wholeNumber(-1)),
  temperature: v.optional(numberFromZero()),
  topK: v.optional(wholeNumber(0)),
  topP: v.optional(numberAboveZero(1)),
  count: v.optional(wholeNumber(1, 4096)),
  stop: v.optional(v.string()),
  randomSeed: v.optional(wholeNumber(0)),
  ...backendSettings,
});

/** What to write and how; whatever is left out has the default of `SAMPLE_DEFAULTS`. */
export type SampleSettings = v.InferInput<typeof sampleSettingsSchema>;

/** So many characters are written before other work of the process gets its turn. */
const CHARACTERS_PER_TURN = 32;

/**
 * Writes text with the model of a checkpoint. The same settings always write the same text.
 *
 * @returns arrays with the next character of each text, or `""` where a text has ended or not begun
 *   yet; the seed is not among them
 * @param options `onWarning` is told what the user should know, in a sentence or two
 * @throws CharnnError `INVALID_SETTING`, or `UNKNOWN_CHARACTER` for a seed that the model can't read
 */
export async function* sample(
  checkpoint: Checkpoint,
  settings: SampleSettings = {},
  options: {
    readonly signal?: AbortSignal;
    readonly onWarning?: (message: string) => void;
  } = {},
): AsyncGenerator<readonly string[], void> {
  const { backend, threads, ...given } = checked(sampleSettingsSchema, settings);
  const all = { ...SAMPLE_DEFAULTS, ...definedOnly(given) };
  const { config, vocabulary, tensors } = checkpoint;
  const engine = { backend: backend ?? all.backend, threads };
  const model = await openModel(config.model, tensors, engine, options.onWarning);
  try {
    const random = Random.fromSeed(all.randomSeed).fork("sample");
    const { documents } = config.text;
    let written = 0;
    for (const characters of generate(model, vocabulary, { ...all, documents }, random)) {
      yield characters;
      if (++written % CHARACTERS_PER_TURN === 0) await nextTurn();
      if (options.signal?.aborted) return;
    }
  } finally {
    model.dispose();
  }
}
