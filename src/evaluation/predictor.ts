import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { BackendSettings } from "../config/shared.js";
import type { Batch } from "../data/batch.js";
import type { CharRnn, PositionScores, Score } from "../model/char-rnn.js";
import { openParts, partsOf, readerOf } from "../sampling/mixture.js";
import { openNetwork } from "../sampling/open-network.js";
import type { Turns } from "../turns.js";
import { MixturePredictor } from "./mixture-predictor.js";

/** What predicts a text: a {@link CharRnn}, or several together. */
export interface Predictor {
  /** The state of `batch` rows before any text. Only the predictor knows what a state is made of; none ever changes. */
  zeroState(batch: number): unknown;
  /**
   * Predicts every target of a batch.
   *
   * @param turns given while it takes long
   */
  score(batch: Batch, state: unknown, turns: Turns): Predicted | Promise<Predicted>;
}

interface Predicted {
  readonly score: Score;
  readonly positions: PositionScores;
  /** After the batch. */
  readonly state: unknown;
}

/**
 * Opens one model to read texts, or several that predict together.
 *
 * @param shares as `weightsOf` takes them
 * @param windows the largest in which texts are read
 * @throws CharnnError as `openNetwork` and `weightsOf` do
 */
export async function openPredictor(
  checkpoints: readonly Checkpoint[],
  shares: number | readonly number[] | undefined,
  settings: BackendSettings,
  windows: { readonly time: number; readonly batch: number },
  onWarning?: (message: string) => void,
): Promise<CharRnn | MixturePredictor> {
  const parts = partsOf(checkpoints, shares);
  if (parts.length === 1) return openNetwork(parts[0].checkpoint, settings, windows, onWarning);
  const open = await openParts(parts, settings, windows, onWarning);
  return new MixturePredictor(open, readerOf(checkpoints).vocabulary);
}
