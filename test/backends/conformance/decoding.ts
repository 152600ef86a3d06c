/** Sizes of models and of what a session of them decodes. */
import type { CellName } from "#src/config/cells.js";

export interface ModelSizes {
  readonly layers: number;
  readonly hiddenSize: number;
  /** 0: one-hot. */
  readonly embeddingSize: number;
  readonly vocabularySize: number;
  readonly ngramOrder?: number;
  readonly ngramRows?: number;
}

export interface DecodeSizes extends ModelSizes {
  readonly sequences: number;
  readonly time: number;
}

const SIZES: readonly DecodeSizes[] = [
  { layers: 1, hiddenSize: 1, embeddingSize: 0, vocabularySize: 2, sequences: 1, time: 5 },
  // Less than the sixteen columns of a panel, all of them, and several panels; more rows than at once.
  { layers: 3, hiddenSize: 7, embeddingSize: 6, vocabularySize: 17, sequences: 3, time: 5 },
  { layers: 2, hiddenSize: 16, embeddingSize: 16, vocabularySize: 16, sequences: 16, time: 3 },
  { layers: 2, hiddenSize: 33, embeddingSize: 20, vocabularySize: 65, sequences: 17, time: 5 },
];

const LARGEST: readonly DecodeSizes[] = [
  { layers: 1, hiddenSize: 129, embeddingSize: 0, vocabularySize: 300, sequences: 64, time: 2 },
  { layers: 3, hiddenSize: 100, embeddingSize: 6, vocabularySize: 65, sequences: 1, time: 5 },
];

/** @param isAll whether the largest are wanted too */
export function decodeSizes(isAll: boolean): readonly DecodeSizes[] {
  return isAll ? [...SIZES, ...LARGEST] : SIZES;
}

export function describeModel(cell: CellName, sizes: ModelSizes): string {
  const { layers, hiddenSize, embeddingSize, vocabularySize } = sizes;
  const units = `${layers} layers of ${hiddenSize} ${cell} units`;
  return `${units}, ${vocabularySize} tokens, embedding ${embeddingSize}`;
}
