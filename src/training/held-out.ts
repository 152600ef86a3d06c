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
  const part = { most, pieceLength: config.text.scoredPiece, signal };
  const batches = evaluationBatches(validation.tokens, documents, vocabulary, part);
  const pieces = calibrationPiecesOf(config);
  return pieces ? pieces.without(batches) : batches;
}
