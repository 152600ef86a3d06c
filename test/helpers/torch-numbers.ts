/** What PyTorch gives for three small models; `test/fixtures/torch_numbers.py` made the numbers. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CellName } from "#src/config/cells.js";

export const TORCH_SCRIPT = fileURLToPath(
  new URL("../../test/fixtures/torch_numbers.py", import.meta.url),
);

/** A number or lists of numbers, as many levels deep as the array has dimensions. */
export type Nested = number | readonly Nested[];
export type ByName = Readonly<Record<string, Nested>>;

export interface TorchModel {
  readonly cell: CellName;
  readonly embeddingSize: number;
  readonly parameters: ByName;
  /** `[time, batch]` */
  readonly inputs: Nested;
  readonly targets: Nested;
  /** The hidden state `[layers, batch, hidden]` and, for an LSTM, the cell state. */
  readonly state: readonly Nested[];
  /** `[time, batch, vocabulary]` */
  readonly logits: Nested;
  readonly losses: Nested;
  readonly finalState: readonly Nested[];
  readonly gradients: ByName;
  readonly trained: readonly {
    readonly optimizer: "adam" | "adamw" | "nadam" | "sgd" | "rmsprop";
    readonly clipNorm: number;
    /** Of each step's gradients, before clipping. */
    readonly norms: readonly number[];
    readonly parameters: ByName;
  }[];
}

/** Adam's weight decay is 0, AdamW's and NAdam's as given. */
export const TORCH_OPTIMIZERS = {
  adam: { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0 },
  adamw: { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.2 },
  nadam: { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.2 },
  sgd: { learningRate: 0.3, momentum: 0.9, weightDecay: 0 },
  rmsprop: { learningRate: 0.01, decay: 0.9, epsilon: 1e-6, weightDecay: 0 },
} as const;

export const torchNumbers: {
  readonly sizes: Readonly<Record<"time" | "batch" | "hidden" | "layers" | "vocabulary", number>>;
  readonly models: readonly TorchModel[];
} = JSON.parse(
  readFileSync(new URL("../../test/fixtures/torch-numbers.json", import.meta.url), "utf8"),
);

export function flat(values: Nested): number[] {
  return typeof values === "number" ? [values] : values.flatMap(flat);
}
