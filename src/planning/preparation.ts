/**
 * What happens before a run starts: reading the text, counting n-grams for the baseline, comparing the held-out
 * part with the rest, measuring the speed, making the first weights.
 */
export type Preparation = "reading" | "counting" | "comparing" | "measuring" | "initializing";
