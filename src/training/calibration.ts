/**
 * A model with embeddings of n-grams learns much of a text by heart, and so is too sure of what it predicts. A run that is calibrated
 * evaluates and saves its models with their logits divided by a temperature, which each evaluation fits on pieces of the held-out
 * part that are not scored.
 */
import { DECODER_NAMES } from "../config/parameters.js";
import { fitTemperature } from "../evaluation/temperature.js";
import { parameterViews } from "../model/parameters.js";
import { calibrationPiecesOf } from "../planning/calibration.js";
import type { Member } from "./member.js";
import type { Run } from "./run.js";

/** Gives the models that are evaluated the present weights, and logits that are divided by a temperature. */
export function setTemperature(members: readonly Member[], temperature: number): void {
  for (const { learner, evalModel } of members) {
    const { model, average = model.parameters } = learner;
    const values = average.read();
    evalModel.parameters.write(values);
    for (const [name, { data }] of parameterViews(model.config, values)) {
      if (!DECODER_NAMES.has(name)) continue;
      evalModel.parameters.writeSlice(name, dividedBy(temperature, data));
    }
  }
}

/** Weights of the decoder with which its logits are divided by a temperature. */
export function dividedBy(temperature: number, values: Float32Array): Float32Array {
  return values.map((value) => value / temperature);
}

/** @returns undefined for a run that is not calibrated, and when the signal stops it */
export async function temperatureOf(
  { config, corpus, members, progress }: Pick<Run, "config" | "corpus" | "members" | "progress">,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const pieces = calibrationPiecesOf(config);
  if (!pieces) return undefined;
  setTemperature(members, 1);
  const models = members.map(({ evalModel }) => evalModel);
  const near = progress.temperature;
  return fitTemperature(models, pieces.batches(corpus.validation.tokens), { near, signal });
}
