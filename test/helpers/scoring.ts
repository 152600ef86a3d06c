import {
  type Checkpoint,
  type EvaluateSettings,
  evaluateTexts,
  type TextScore,
} from "#src/index.js";

/** The score of a model, or of a mixture, on what is one text, without baselines unless they are asked for. */
export async function evaluated(
  checkpoint: Checkpoint | readonly Checkpoint[],
  settings: EvaluateSettings,
  options: Parameters<typeof evaluateTexts>[2] = {},
): Promise<TextScore> {
  const scores: TextScore[] = [];
  const asked = { baselines: false, ...settings };
  for await (const score of evaluateTexts(checkpoint, asked, options)) scores.push(score);
  if (scores.length !== 1) throw new Error(`There are ${scores.length} scores.`);
  return scores[0];
}
