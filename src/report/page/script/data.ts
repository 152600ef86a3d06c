/** What the report's page shows by its script, as JSON in the page. */
export interface PageData {
  readonly runs: readonly RunData[];
  readonly charts: Charts;
  readonly text: TextData | undefined;
  /** Whether the page is served, and follows a run. */
  readonly live: boolean;
  /** Of a page that is served: see `Update`. */
  readonly edition?: number | undefined;
}

/** A run, as charts show it beside its curves. Losses are in nats/char. */
export interface RunData {
  readonly name: string;
  /** The evaluation with the lowest validation loss. */
  readonly best: { readonly step: number; readonly loss: number } | null;
  readonly baseline: { readonly order: number; readonly loss: number } | null;
}

/** What can stand on the horizontal axis in place of the step, by the step. */
export type AxisMetric = "epoch" | "seconds" | "characters";

type Metric =
  | AxisMetric
  | "training-loss"
  | "validation-loss"
  | "learning-rate"
  | "gradient-norm"
  | "speed";

export interface ChartLine {
  /** The run's index. */
  readonly run: number;
  readonly metric: Metric;
  /** At each of the chart's steps; null where there is none. */
  readonly values: readonly (number | null)[];
}

/** Curves over the steps of all of them. */
export interface ChartData {
  readonly steps: readonly number[];
  readonly lines: readonly ChartLine[];
}

export interface Charts {
  readonly loss: ChartData;
  readonly rate: ChartData;
  readonly speed: ChartData;
  readonly norm: ChartData;
  /** What the horizontal axis can show. */
  readonly axes: ChartData;
}

/** The end of a list: what stands there from `from` on. What is before it stays. */
export interface ListChange {
  readonly from: number;
  /** HTML of each. */
  readonly items: readonly string[];
}

/** The end of a chart, from its step number `from` on. */
export interface ChartChange extends ChartData {
  readonly from: number;
}

/** What has changed since the last update. Fields that have not changed are left out. */
export interface Update {
  readonly runs?: readonly RunData[];
  readonly charts?: Partial<Record<keyof Charts, ChartChange>>;
  /** HTML of the result. */
  readonly result?: string;
  /** Evaluations as rows of a table, and samples; the oldest first. */
  readonly evaluations?: ListChange;
  readonly samples?: ListChange;
  /** How the run stands, as a sentence, and how far it has come. */
  readonly status?: string;
  readonly progress?: string;
  /** A page of another edition has parts that updates don't change, and loads again. */
  readonly edition?: number;
}

/** A piece of text as the model sees it. */
export interface TextData {
  readonly characters: readonly string[];
  /** Surprisal of each character, bits; null for the first of a text. */
  readonly bits: readonly (number | null)[];
  /** The likeliest characters at the position of each, the likeliest first, in one string. */
  readonly expected: readonly string[];
  /** Their probabilities. */
  readonly probabilities: readonly (readonly number[])[];
  /** Units of all layers. */
  readonly units: number;
  /**
   * Base64 of signed bytes `[units, characters]`: the activation of each unit when it has read the
   * character, times 127.
   */
  readonly activations: string;
}
