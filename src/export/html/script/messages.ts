/** What the page and its worker say to each other. */

/** In place of a surprisal: nothing was predicted there, or nothing yet. */
export const UNPREDICTED = Number.NaN;
/** The model does not know the character, and does not read it. */
export const UNKNOWN = Number.POSITIVE_INFINITY;
/** Not the first unit of UTF-16 of a character. */
export const CONTINUED = -1;

/** How a text is written, as `charnn sample` calls it. */
export interface WriteSettings {
  readonly length: number;
  readonly temperature: number;
  readonly topP: number;
  readonly minP: number;
  readonly randomSeed: number;
}

/** To be done by the worker. It drops what it does, and answers no more to it, when the next comes. */
export type Request =
  /** Comes first. */
  | {
      readonly kind: "open";
      /** In JSON. */
      readonly model: string;
      /** Compressed by gzip, in base64. */
      readonly weights: string;
      readonly kernels: string;
    }
  /** Reads a text, whose answers have the same number: `bits`, the last time for all of it. */
  | { readonly kind: "read"; readonly text: string; readonly revision: number }
  /** Looks at a place of the text that was read, counted in units of UTF-16: answered by `next`, then by `depends`. */
  | { readonly kind: "look"; readonly place: number }
  /** Continues a text: answered by `written` now and then, once the last is `shown`, and `ended`. */
  | { readonly kind: "write"; readonly text: string; readonly settings: WriteSettings }
  /** Said when the page has shown what was written: so that a fast model never writes faster than it is shown. */
  | { readonly kind: "shown" }
  | { readonly kind: "stop" };

/** A character that may come next. */
export interface Expected {
  /** `""` for the end of a document. */
  readonly character: string;
  readonly probability: number;
}

/** An earlier part of the text that a prediction depends on. */
export interface Dependence {
  /** In units of UTF-16. */
  readonly start: number;
  readonly length: number;
  /** By how much the prediction changes without it. */
  readonly bits: number;
}

export type Answer =
  | { readonly kind: "opened" }
  /** The surprisal of each unit of UTF-16, in bits, or one of the numbers above. */
  | {
      readonly kind: "bits";
      readonly bits: Float32Array;
      readonly isAll: boolean;
      readonly revision: number;
    }
  | {
      readonly kind: "next";
      readonly place: number;
      readonly expected: readonly Expected[];
      readonly revision: number;
    }
  /** Those that matter most come first. */
  | {
      readonly kind: "depends";
      readonly place: number;
      readonly depends: readonly Dependence[];
      readonly revision: number;
    }
  | { readonly kind: "written"; readonly text: string; readonly bits: Float32Array }
  | {
      readonly kind: "ended";
      readonly why: "length" | "document" | "stopped";
      readonly characters: number;
      readonly seconds: number;
    }
  | { readonly kind: "failed"; readonly message: string };
