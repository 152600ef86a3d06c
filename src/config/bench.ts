import type { CellName } from "./cells.js";
import { wholeNumber } from "./kinds.js";
import { MAX_SIZE, MAX_TEXTS } from "./names.js";
import { defaultsOf, type OptionsOf } from "./option.js";
import { type BackendSettings, backendOptions, jsonOption } from "./shared.js";
import { TRAIN } from "./train.js";

/** Which model to measure, and how. Nothing is dropped by default. */
export interface BenchmarkSettings extends BackendSettings {
  /** Default: `gru`. */
  readonly cell?: CellName | undefined;
  /** Default: 1. */
  readonly layers?: number | undefined;
  /** Default: 128. */
  readonly hiddenSize?: number | undefined;
  /** 0: one-hot. Default: 0. */
  readonly embeddingSize?: number | undefined;
  /** 1: no vectors for n-grams. Default: 1. */
  readonly ngramOrder?: number | undefined;
  /** Default: 65,536. */
  readonly ngramRows?: number | undefined;
  /** Default: 65. */
  readonly vocabularySize?: number | undefined;
  readonly dropout?: number | undefined;
  readonly inputDropout?: number | undefined;
  readonly recurrentDropout?: number | undefined;
  readonly weightDropout?: number | undefined;
  /** Default: 16. */
  readonly batchSize?: number | undefined;
  /** Default: 64. */
  readonly seqLength?: number | undefined;
  /** Training steps to time. Default: as many as take three seconds. */
  readonly steps?: number | undefined;
  /** Texts that are written side by side. Default: 1. */
  readonly streams?: number | undefined;
}

/** What can be typed. */
export interface BenchmarkCommandSettings extends BenchmarkSettings {
  readonly mpi?: string | undefined;
  readonly json?: boolean | undefined;
}

const MEASUREMENT = "Measurement:";

/** An option of a training, with another default. */
function measured<Entry extends object, const Default>(entry: Entry, fallback: Default) {
  const { decidedBy, onResume, checkpoint, regularizes, ...rest } = entry as Entry & {
    decidedBy?: unknown;
    onResume?: unknown;
    checkpoint?: unknown;
    regularizes?: unknown;
  };
  return { ...rest, default: fallback };
}

/** All options of `bench`, in the order in which the help shows them. */
export const BENCH = {
  cell: measured(TRAIN.cell, "gru"),
  layers: measured(TRAIN.layers, 1),
  hiddenSize: measured(TRAIN.hiddenSize, 128),
  embeddingSize: measured(TRAIN.embeddingSize, 0),
  ngramOrder: measured(TRAIN.ngramOrder, 1),
  ngramRows: measured(TRAIN.ngramRows, 65_536),
  vocabularySize: {
    kind: wholeNumber(1, MAX_SIZE),
    value: "<n>",
    help: "Give the model this many characters",
    default: 65,
    group: TRAIN.cell.group,
  },
  dropout: measured(TRAIN.dropout, 0),
  inputDropout: measured(TRAIN.inputDropout, 0),
  recurrentDropout: measured(TRAIN.recurrentDropout, 0),
  weightDropout: measured(TRAIN.weightDropout, 0),
  batchSize: measured(TRAIN.batchSize, 16),
  seqLength: measured(TRAIN.seqLength, 64),
  steps: {
    kind: TRAIN.steps.kind,
    value: "<n>",
    help: "Time n training steps, for at most 10 s",
    decidedBy: "as many as take 3 s",
    group: MEASUREMENT,
  },
  streams: {
    kind: wholeNumber(1, MAX_TEXTS),
    value: "<n>",
    help: "Write n texts side by side",
    default: 1,
    group: MEASUREMENT,
  },
  backend: { ...backendOptions.backend, group: MEASUREMENT },
  threads: { ...backendOptions.threads, group: MEASUREMENT },
  mpi: measured({ ...TRAIN.mpi, group: MEASUREMENT }, undefined),
  json: { ...jsonOption("one object"), group: "Output:" },
} as const satisfies OptionsOf<BenchmarkCommandSettings>;

export const BENCH_DEFAULTS = defaultsOf(BENCH);
