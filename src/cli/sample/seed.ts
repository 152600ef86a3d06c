import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { SAMPLE_DEFAULTS as DEFAULTS, type SampleCommandSettings } from "../../config/sample.js";
import { CharnnError } from "../../errors.js";
import { formatCount } from "../../text.js";
import type { Terminal } from "../terminal/terminal.js";

/** The longest seed in a file, in characters: a model needs minutes to read it. */
const MAX_SEED_LENGTH = 10_000_000;

/** The text of a file to go on from, with line ends as the model's text had them. */
export async function readSeed(
  file: string,
  { encoding = DEFAULTS.encoding, invalid = DEFAULTS.invalid, unknown }: SampleCommandSettings,
  { config, vocabulary }: Checkpoint,
  { warn }: Terminal,
  signal: AbortSignal,
): Promise<string> {
  const { readOneFile } = await import("../../data/one-file.js");
  const { lineEnds } = config.text;
  const canReplace = unknown === "skip" || vocabulary.readsReplacement;
  const tooLong = () =>
    new CharnnError(
      "BAD_TEXT",
      `The seed has more than ${formatCount(MAX_SEED_LENGTH)} characters.`,
      // A character may be cut in two.
      "The model needs only its end: run tail -c 10000 FILE > NEWFILE, then give --seed-file NEWFILE --invalid skip.",
    );
  const { text, warnings } = await readOneFile(
    file,
    { encoding, invalid, canReplace, lineEnds, most: MAX_SEED_LENGTH, tooLong },
    { stdin: process.stdin, signal },
  );
  for (const warning of warnings) warn(warning);
  return text;
}

/** In other programs `--seed` is a number for the random choices. */
export function hintAtRandomSeed(seed: string | undefined, terminal: Terminal): void {
  if (seed === undefined || !/^\d+$/.test(seed)) return;
  terminal.say(
    `Note: --seed is the text to go on from; the seed of the random choices is --random-seed ${seed}.`,
  );
}
