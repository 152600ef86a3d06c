import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { NEXT, NEXT_DEFAULTS, type NextSettings } from "../config/next.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { prepareText } from "../data/prepare-text.js";
import { leftOut, readAsOthers } from "../data/unknown-characters.js";
import { Turns } from "../turns.js";
import { openNetworks } from "./mixture.js";
import { type Next, predictNext } from "./prediction.js";
import { primingTokens } from "./sampler.js";

const schema = settingsSchema<NextSettings>(NEXT, ["text"]);

/**
 * The characters that a model expects after a text, and the earlier ones that this depends on most: each of the
 * last characters is left out in turn (as in "Visualizing memorization in RNNs", Madsen, Distill 2019, by leaving
 * out in place of gradients).
 *
 * @throws CharnnError `INVALID_SETTING`, `UNKNOWN_CHARACTER` for a text that the model can't read; the reason of the
 *   signal once it is aborted
 */
export async function nextCharacters(
  checkpoint: Checkpoint,
  settings: NextSettings,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onWarning?: ((message: string) => void) | undefined;
  } = {},
): Promise<Next> {
  const given = { ...NEXT_DEFAULTS, ...definedOnly(checked(schema, settings)) };
  const { config, vocabulary } = checkpoint;
  const { signal, onWarning } = options;
  const reader = { ...config.text, vocabulary };
  const prepared = await prepareText(given.text, reader, given.unknown, signal);
  const { skipped, skippedCharacters, mapped, mappings } = prepared;
  if (skipped > 0) onWarning?.(leftOut(skipped, skippedCharacters));
  if (mapped > 0) onWarning?.(readAsOthers(mapped, mappings));
  const text = vocabulary.encode(prepared.text);
  const tokens = [...primingTokens(vocabulary, text, config.text.documents)];
  const count = Math.min(given.depends, text.length);
  const purpose = { streams: Math.max(count, 1) };
  const model = await openNetworks([checkpoint], undefined, given, purpose, onWarning);
  try {
    return await predictNext(
      model,
      vocabulary,
      tokens,
      { top: given.top, count },
      new Turns(signal),
    );
  } finally {
    model.dispose();
  }
}
