import { Turns } from "../turns.js";

/**
 * What goes on before a run starts: reading the text, counting n-grams for the baseline, comparing the held-out part with
 * the rest, measuring the speed, making the first weights.
 */
export type Preparation = "reading" | "counting" | "comparing" | "measuring" | "initializing";

/** Called when a preparation begins, and now and then with the fraction of a long one that is done, from 0 to 1. */
export type OnPreparing = (doing: Preparation, fraction: number) => void;

/**
 * Tells that a preparation begins, and waits until that can be shown.
 *
 * @throws the signal's reason once it is aborted
 */
export async function beginPreparation(
  doing: Preparation,
  {
    onPreparing,
    signal,
  }: {
    readonly onPreparing?: OnPreparing | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  if (!onPreparing) return;
  onPreparing(doing, 0);
  await new Turns(signal).take();
}
