/** What is measured, and what it must reach. */
import type { SampleSettings } from "#src/config/sample.js";
import { SHAKESPEARE } from "./commands.js";

export interface TrainingCase {
  readonly cell: "gru" | "lstm";
  readonly layers: number;
  readonly hiddenSize: number;
  readonly embeddingSize: number;
  readonly dropout: number;
  readonly batchSize: number;
  readonly seqLength: number;
  /** Times PyTorch's chars/s, or else: */
  readonly ratio: number;
  /** of the matmul peak. */
  readonly share: number;
}

const SHAPE = { embeddingSize: 0, dropout: 0 };

export const TRAINING: readonly TrainingCase[] = [
  {
    ...SHAPE,
    cell: "gru",
    layers: 2,
    hiddenSize: 128,
    batchSize: 50,
    seqLength: 50,
    ratio: 3,
    share: 0.65,
  },
  {
    ...SHAPE,
    cell: "lstm",
    layers: 2,
    hiddenSize: 128,
    batchSize: 50,
    seqLength: 50,
    ratio: 1.4,
    share: 0.65,
  },
  {
    ...SHAPE,
    cell: "gru",
    layers: 2,
    hiddenSize: 512,
    batchSize: 64,
    seqLength: 100,
    ratio: 2,
    share: 0.85,
  },
  {
    ...SHAPE,
    cell: "gru",
    layers: 1,
    hiddenSize: 1024,
    embeddingSize: 256,
    batchSize: 64,
    seqLength: 100,
    ratio: 1.8,
    share: 0.85,
  },
  {
    ...SHAPE,
    cell: "lstm",
    layers: 3,
    hiddenSize: 512,
    dropout: 0.5,
    batchSize: 50,
    seqLength: 100,
    ratio: 1.5,
    share: 0.8,
  },
];

/** What is compared with tfjs-layers on tfjs-node: training on native, and on tensorflow. */
export const BESIDE_TFJS = [
  { ...TRAINING[0], times: { native: 30, tensorflow: 4 } },
  { ...TRAINING[1], times: { native: undefined, tensorflow: 4 } },
  { ...TRAINING[3], times: { native: 5, tensorflow: 2 } },
];

/** The model whose speed on all threads is compared with that on one, and whose memory is measured. */
export const SCALED = TRAINING[2];
/** Of the matmul's own scaling. */
export const SCALING_SHARE = 0.95;
/** Bytes of memory that its training may take. */
export const MAX_MEMORY = 400e6;

export interface SamplingCase {
  readonly layers: number;
  readonly hiddenSize: number;
  /** Texts side by side. */
  readonly streams: number;
}

/** Its goal is a ratio to PyTorch, both on one thread. */
export const SMALL_SAMPLING = { layers: 2, hiddenSize: 128, streams: 1 };
export const SMALL_SAMPLING_RATIO = 8;

/** Their goal is a share of the read bandwidth, and to be no slower than PyTorch. */
export const SAMPLING: readonly SamplingCase[] = [
  { layers: 1, hiddenSize: 256, streams: 1 },
  { layers: 2, hiddenSize: 512, streams: 1 },
  { layers: 1, hiddenSize: 1024, streams: 1 },
];
/** Their goal is a share of the matmul peak. */
export const SAMPLING_SIDE_BY_SIDE: readonly SamplingCase[] = [
  { layers: 1, hiddenSize: 256, streams: 64 },
  { layers: 2, hiddenSize: 512, streams: 64 },
];
export const SAMPLING_SHARE = 0.6;

/** `charnn --version`, times `node -e 0`. */
export const MAX_START_RATIO = 1.5;
/** `charnn sample -n 200`, seconds. */
export const MAX_SAMPLE_SECONDS = 0.5;

/** What is compared with a text without limits, GRU 1x256; each may cost a share of its speed. */
export const LIMITS: Readonly<Record<string, SampleSettings>> = {
  "--min-p 0.05": { minP: 0.05 },
  "--allow": { allow: "a-zA-Z \n.,;:!?'-" },
  "--words": { words: [SHAKESPEARE] },
  "--max-repeat 20": { maxRepeat: 20 },
  "--match": { match: "([^.;:!?]+[.;:!?])+\\s*" },
  "--max-copy 20": { maxCopy: 20, trainingText: [SHAKESPEARE] },
  "--stop": { stop: ["zzz "] },
};
export const MAX_COST = 0.2;
/** 16 calls at once of an open model, times the chars/s of calls that each open it for themselves. */
export const OPEN_MODEL_RATIO = 4;
/** `--best-of 64`, times the chars/s of one text. */
export const BEST_OF_RATIO = 2;
/** Three models of the preset `medium` that predict together, chars/s of one text. */
export const SPEED_OF_THREE = 3_000;
