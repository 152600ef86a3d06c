import { CELLS } from "../config/cells.js";
import type { ModelConfig } from "../config/model.js";

/** A multiplication and an addition, forward and twice backward: with respect to the input and to the weight. */
const OPERATIONS_PER_WEIGHT = 6;

/**
 * Floating-point operations that learning one character takes in products with weights: the recurrent
 * ones, those between layers, and the decoder's. A character's own vector is looked up.
 */
export function operationsPerCharacter(model: ModelConfig): number {
  const { cell, layers, hiddenSize, vocabularySize } = model;
  const square = CELLS[cell].gates.length * hiddenSize * hiddenSize;
  const weights = layers * square + (layers - 1) * square + vocabularySize * hiddenSize;
  return OPERATIONS_PER_WEIGHT * weights;
}
