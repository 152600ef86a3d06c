/** Decoders and their losses: cases, random numbers for them, and what the definition gives for these. */
import type { Decoder, DropoutMask } from "#src/backends/backend.js";
import type { Draw } from "../../helpers/numbers.js";
import { row, type Vector } from "../../reference/cells.js";
import {
  crossEntropy,
  type DecoderInputs,
  decoder as decoderLogits,
  meanLoss,
} from "../../reference/model.js";
import { expectedGradient, inDoubles, TOLERANCE } from "./comparisons.js";
import { drawMask, maskNumbers } from "./masks.js";

export interface LossSizes {
  readonly time: number;
  readonly batch: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly isMasked: boolean;
}

export interface LossCase {
  readonly decoder: Decoder & Record<"input" | "weight" | "bias", Float32Array>;
  /** What makes the mask of the decoder. */
  readonly inputMask?: DropoutMask | undefined;
}

type Sizes = Omit<LossSizes, "isMasked">;

/** Gradients are compared number by number. */
const SMALL: readonly Sizes[] = [
  { time: 1, batch: 1, hidden: 1, vocabulary: 2 },
  { time: 5, batch: 4, hidden: 7, vocabulary: 17 },
];

const LARGE: readonly Sizes[] = [
  // Exactly the sixteen columns of a panel.
  { time: 3, batch: 5, hidden: 16, vocabulary: 16 },
  // Several panels of units and tokens.
  { time: 2, batch: 17, hidden: 33, vocabulary: 65 },
  // More rows than a backend may add up in one go.
  { time: 11, batch: 25, hidden: 129, vocabulary: 17 },
];

const LARGEST: readonly Sizes[] = [
  { time: 33, batch: 17, hidden: 100, vocabulary: 300 },
  { time: 2, batch: 25, hidden: 273, vocabulary: 65 },
];

/** More logits than a backend may hold at once. */
const MANY_LOGITS: LossSizes = {
  time: 2,
  batch: 130,
  hidden: 3,
  vocabulary: 16_400,
  isMasked: true,
};

/** @param isAll whether the largest are wanted too, and more logits than a backend holds at once */
export function lossCases(
  isAll: boolean,
  hasManyLogits = isAll,
): { sizes: LossSizes; isSmall: boolean }[] {
  const large = isAll ? [...LARGE, ...LARGEST] : LARGE;
  const cases = [false, true].flatMap((isMasked) => [
    ...SMALL.map((sizes) => ({ sizes: { ...sizes, isMasked }, isSmall: true })),
    ...large.map((sizes) => ({ sizes: { ...sizes, isMasked }, isSmall: false })),
  ]);
  return hasManyLogits ? [...cases, { sizes: MANY_LOGITS, isSmall: false }] : cases;
}

export function describeLoss({ time, batch, hidden, vocabulary, isMasked }: LossSizes): string {
  const masked = isMasked ? ", with dropout" : "";
  return `a decoder from ${hidden} units to ${vocabulary} tokens, batch ${batch}, time ${time}${masked}`;
}

/** About a fifth of the targets, but never all, are below 0. */
export function drawLoss(sizes: LossSizes, draw: Draw): LossCase {
  const { time, batch, hidden, vocabulary, isMasked } = sizes;
  const positions = time * batch;
  const targets = draw.tokens(positions, vocabulary);
  for (let position = 1; position < positions; position++) {
    if (draw.uniform() < 0.2) targets[position] = -1;
  }
  const inputMask = isMasked ? drawMask(batch * hidden, draw) : undefined;
  const decoder = {
    time,
    batch,
    hiddenSize: hidden,
    input: draw.floats(positions * hidden),
    inputMask: inputMask && maskNumbers(inputMask),
    weight: draw.floats(vocabulary * hidden, 3 / Math.sqrt(hidden)),
    bias: draw.floats(vocabulary),
    targets,
  };
  return { decoder, inputMask };
}

export function definedLoss({ decoder }: LossCase, isSmall: boolean) {
  const { input, inputMask, weight, bias, targets } = decoder;
  const inputs = inDoubles({ input, inputMask, weight, bias }) as unknown as DecoderInputs;
  const loss = () => meanLoss(decoderLogits(inputs), targets);
  const logits = decoderLogits(inputs);
  const scoresAt = (position: number) => row(logits, position, bias.length);
  return {
    logits,
    losses: crossEntropy(logits, targets),
    // NaN: two logits are so close that after rounding either may be the larger.
    predictions: Array.from(targets, (_, position) => prediction(scoresAt(position))),
    ranks: Array.from(targets, (target, position) =>
      target < 0 ? 0 : rank(scoresAt(position), target),
    ),
    gradients: {
      input: expectedGradient(loss, inputs.input, isSmall),
      weight: expectedGradient(loss, inputs.weight, isSmall),
      bias: expectedGradient(loss, inputs.bias, isSmall),
    },
  };
}

/** The most likely token. */
function prediction(scores: Vector): number {
  const max = scores.reduce((a, b) => Math.max(a, b));
  return isClear(scores, max) ? scores.indexOf(max) : Number.NaN;
}

/** How many tokens are likelier than the target. */
function rank(scores: Vector, target: number): number {
  const own = scores[target];
  return isClear(scores, own) ? scores.filter((score) => score > own).length : Number.NaN;
}

function isClear(scores: Vector, score: number): boolean {
  return scores.filter((other) => Math.abs(other - score) <= TOLERANCE).length === 1;
}
