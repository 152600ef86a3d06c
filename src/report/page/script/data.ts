/** What the report's page shows by its script, as JSON in the page. */
export interface PageData {
  readonly charts: Charts;
  readonly text: TextData | undefined;
  /** Whether the page is served, and follows a run. */
  readonly live: boolean;
  /** Of a page that is served: see `Update`. */
  readonly edition?: number | undefined;
}

/** Curves as uPlot takes them: the steps of all, and for each its values there, null where it has none. */
export interface ChartData {
  readonly steps: readonly number[];
  readonly lines: readonly {
    readonly name: string;
    readonly values: readonly (number | null)[];
  }[];
}

export interface Charts {
  readonly loss: ChartData;
  readonly rate: ChartData;
  readonly speed: ChartData;
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
  readonly charts?: Partial<Record<keyof Charts, ChartChange>>;
  /** HTML of the figures. */
  readonly figures?: string;
  /** Evaluations as rows of a table, and samples; the oldest first. */
  readonly evaluations?: ListChange;
  readonly samples?: ListChange;
  /** How the run stands, as a sentence. */
  readonly status?: string;
  /** A page of another edition has parts that updates don't change, and loads again. */
  readonly edition?: number;
}

/** A piece of text through the model's eyes. */
export interface TextData {
  readonly characters: readonly string[];
  /** Surprise of each character, bits; null for the first. */
  readonly bits: readonly (number | null)[];
  /** The likeliest characters at the position of each, with their probabilities. */
  readonly expected: readonly (readonly (readonly [character: string, probability: number])[])[];
  /** Units of all layers. */
  readonly units: number;
  /**
   * Base64 of signed bytes `[units, characters]`: the activation of each unit when it has read the
   * character, times 127.
   */
  readonly activations: string;
}
