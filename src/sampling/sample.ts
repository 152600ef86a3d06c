import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { SampleSettings } from "../config/sample.js";
import { type Candidate, chooseTexts } from "./candidates.js";
import { prepareSampling, type SampleOptions } from "./prepare.js";
import { generate } from "./sampler.js";

/**
 * Writes text with the model of a checkpoint, or with several that predict together. The same settings always write
 * the same text.
 *
 * @returns arrays with the next character of each text, or `""` where a text has ended or not begun
 *   yet; the seed is not among them. Where each text is chosen among several (`bestOf`, `include`, `unique`, `new`), one
 *   array with the whole texts
 * @throws CharnnError `INVALID_SETTING`, `UNKNOWN_CHARACTER` for a seed that the model can't read,
 *   `NOTHING_ALLOWED` where the limits leave nothing to write; the reason of the signal once it is aborted
 */
export async function* sample(
  checkpoint: Checkpoint | readonly Checkpoint[],
  settings: SampleSettings = {},
  options: SampleOptions = {},
): AsyncGenerator<readonly string[], void> {
  const sampling = await prepareSampling([checkpoint].flat(), settings, options);
  try {
    if (sampling.isChosen) {
      const chosen = await chooseTexts(sampling);
      yield chosen.map(([best]) => best.text);
      return;
    }
    const { model, vocabulary, generating, random, turns } = sampling;
    for (const characters of generate(model, vocabulary, generating, random)) {
      if (characters.length > 0) yield characters;
      if (turns.isDue()) await turns.take();
      options.signal?.throwIfAborted();
    }
  } finally {
    sampling.model.dispose();
  }
}

/**
 * Writes several texts for each place and chooses among them.
 *
 * @param settings with `bestOf`, `include`, `unique` or `new`
 * @returns by place, the texts that will do, the likeliest per character first: `bestOf` of them
 * @throws CharnnError as {@link sample} does
 */
export async function sampleCandidates(
  checkpoint: Checkpoint | readonly Checkpoint[],
  settings: SampleSettings,
  options: SampleOptions = {},
): Promise<readonly (readonly Candidate[])[]> {
  const sampling = await prepareSampling([checkpoint].flat(), settings, options);
  try {
    return await chooseTexts(sampling);
  } finally {
    sampling.model.dispose();
  }
}
