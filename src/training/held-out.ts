import type { RunConfig } from "../config/run.js";
import type { PositionedBatch } from "../data/batch.js";
import type { Corpus } from "../data/corpus.js";
import { evaluationBatches } from "../data/evaluation-batches.js";
import { calibrationPiecesOf } from "../planning/calibration.js";

/**
 * Batches for scoring what a run holds out for validation, without the pieces on which it fits its temperature.
 *
 * @param most characters, about
 */
export function heldOutBatches(
  config: RunConfig,
  { validation, documents, vocabulary }: Pick<Corpus, "validation" | "documents" | "vocabulary">,
  most: number | undefined,
  signal?: AbortSignal,
): AsyncGenerator<PositionedBatch, void> {
  const pieceLength = config.text.scoredPiece;
  const scored = { most, pieceLength, calibration: calibrationPiecesOf(config), signal };
  return evaluationBatches(validation.tokens, documents, vocabulary, scored);
}
