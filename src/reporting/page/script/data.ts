/** What the report's page shows by its script, as JSON in the page. */
export interface PageData {
  readonly charts: Charts;
  readonly text: TextData | undefined;
  /** Whether the page is served while a run goes on, and is told what is new. */
  readonly live: boolean;
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

/** What is new while a run goes on. */
export interface Update {
  readonly charts: Charts;
  /** HTML of the figures and of the samples. */
  readonly figures: string;
  readonly samples: string;
  readonly ended: boolean;
}

/** A piece of text through the model's eyes. */
export interface TextData {
  readonly characters: readonly string[];
  /** Surprise of each character, bits; null for the first. */
  readonly bits: readonly (number | null)[];
  /** The likeliest characters in the place of each, with their probabilities. */
  readonly expected: readonly (readonly (readonly [character: string, probability: number])[])[];
  /** Units of all layers. */
  readonly units: number;
  /**
   * Base64 of signed bytes `[units, characters]`: the activation of each unit when it has read the
   * character, times 127.
   */
  readonly activations: string;
}
