import { BatchArrays, fillRow } from "../data/batch.js";
import type { Tokens } from "../data/vocabulary.js";
import type { CharRnn, ModelState, Score } from "../model/char-rnn.js";
import { NO_DROPOUT } from "../model/dropout.js";
import { parameterArray } from "../model/parameters.js";
import { Random } from "../random.js";
import { Turns, unlessAborted } from "../turns.js";

/** Characters that are predicted between two changes of the weights. */
const WINDOW = 20;
/** How far the weights follow the text, and how fast they return to where they were. */
const RATE = 6e-5;
const RETURN = 3e-3;
const EPSILON = 1e-6;

/**
 * Scores a model on a text while its weights follow it: after every few characters have been predicted, the
 * model learns from them (Krause et al., "Dynamic Evaluation of Neural Sequence Models", 2018, equations 6 and
 * 7: steps are divided by the root mean square of the training's gradients, and the weights are drawn back to
 * the trained ones, most of all those with large gradients).
 *
 * @param squares the running mean of the squares of the training's gradients, `[parameters]`
 * @returns undefined when `signal` stops it; the model's weights have changed afterwards
 */
export async function evaluateDynamically(
  model: CharRnn,
  tokens: Tokens,
  squares: Float32Array,
  signal?: AbortSignal,
): Promise<Score | undefined> {
  return unlessAborted(scoreAndFollow(model, tokens, squares, new Turns(signal)), signal);
}

async function scoreAndFollow(
  model: CharRnn,
  tokens: Tokens,
  squares: Float32Array,
  turns: Turns,
): Promise<Score> {
  const gradients = parameterArray(model.backend, model.config);
  const trained = model.parameters.read().slice();
  const weights = trained.slice();
  const roots = squares.map(Math.sqrt);
  const mean = roots.reduce((sum, root) => sum + root, 0) / roots.length;
  const steps = roots.map((root) => RATE / (root + EPSILON * mean));
  const returns = roots.map((root) => Math.min((RETURN * root) / mean, 1));
  const arrays = new BatchArrays(WINDOW, 1);
  const dropout = { rates: NO_DROPOUT, random: Random.fromSeed(0) };
  let state: ModelState = model.zeroState(1);
  let [loss, characters, correct] = [0, 0, 0];
  try {
    for (let first = 0; first < tokens.length - 1; first += WINDOW) {
      if (turns.isDue()) await turns.take();
      const batch = arrays.empty(Math.min(WINDOW, tokens.length - 1 - first), first === 0);
      fillRow(batch, 0, tokens, first);
      const learned = await turns.during(() =>
        model.lossAndGradients(batch, state, gradients, dropout),
      );
      state = learned.state;
      loss += learned.score.loss;
      characters += learned.score.characters;
      correct += learned.score.correct;
      const values = gradients.read();
      for (let i = 0; i < weights.length; i++) {
        weights[i] += returns[i] * (trained[i] - weights[i]) - steps[i] * values[i];
      }
      model.parameters.write(weights);
    }
    return { loss, characters, correct };
  } finally {
    gradients.dispose();
  }
}
