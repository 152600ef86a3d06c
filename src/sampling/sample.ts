import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { SAMPLE, SAMPLE_DEFAULTS, type SampleSettings } from "../config/sample.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { readTexts } from "../data/texts.js";
import { readAsUnknown } from "../data/unknown-characters.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import { CopyGuard } from "../memorization/copy-guard.js";
import { Random } from "../random.js";
import { Turns } from "../turns.js";
import { openModel } from "./open-model.js";
import { generate } from "./sampler.js";

const sampleSettingsSchema = settingsSchema<SampleSettings>(SAMPLE);

/**
 * Writes text with the model of a checkpoint. The same settings always write the same text.
 *
 * @returns arrays with the next character of each text, or `""` where a text has ended or not begun
 *   yet; the seed is not among them
 * @param options `onWarning` is called with what the user should know, in a sentence or two
 * @throws CharnnError `INVALID_SETTING`, `UNKNOWN_CHARACTER` for a seed that the model can't read,
 *   `COPIES_ONLY` where `maxCopy` leaves nothing to write; the reason of the signal once it is aborted
 */
export async function* sample(
  checkpoint: Checkpoint,
  settings: SampleSettings = {},
  options: {
    readonly signal?: AbortSignal;
    /** What the file `-` stands for. */
    readonly stdin?: AsyncIterable<Uint8Array>;
    readonly onWarning?: (message: string) => void;
  } = {},
): AsyncGenerator<readonly string[], void> {
  const { threads, ...given } = checked(sampleSettingsSchema, settings);
  const all = { ...SAMPLE_DEFAULTS, ...definedOnly(given) };
  const { config, vocabulary } = checkpoint;
  const turns = new Turns(options.signal);
  options.signal?.throwIfAborted();
  const guard = await openCopyGuard(all, checkpoint, options);
  await warnOfUnknown(all.seed ?? "", vocabulary, turns, options.onWarning);
  const backendSettings = { backend: all.backend, threads };
  const purpose = { streams: all.count };
  const model = await openModel(checkpoint, backendSettings, purpose, options.onWarning);
  try {
    const random = Random.fromSeed(all.randomSeed).fork("sample");
    const { documents } = config.text;
    const generating = { ...all, documents, guard };
    for (const characters of generate(model, vocabulary, generating, random)) {
      if (characters.length > 0) yield characters;
      if (turns.isDue()) await turns.take();
      options.signal?.throwIfAborted();
    }
  } finally {
    model.dispose();
  }
}

async function warnOfUnknown(
  seed: string,
  vocabulary: Vocabulary,
  turns: Turns,
  onWarning: ((message: string) => void) | undefined,
): Promise<void> {
  if (vocabulary.unknown === undefined) return;
  const unknown = new Set<number>();
  let count = 0;
  for (const character of seed) {
    const codePoint = character.codePointAt(0) as number;
    if (vocabulary.indexOf(codePoint) === undefined) {
      unknown.add(codePoint);
      count++;
    }
    if (turns.isDue()) await turns.take();
  }
  if (count > 0) onWarning?.(`Of the seed ${readAsUnknown(count, [...unknown])}`);
}

/** What keeps the texts from copying, where that was asked for. */
async function openCopyGuard(
  { maxCopy, trainingText, encoding, invalid, out }: SampleSettings & typeof SAMPLE_DEFAULTS,
  { config, vocabulary }: Checkpoint,
  { stdin, signal, onWarning }: Parameters<typeof sample>[2] & object,
): Promise<CopyGuard | undefined> {
  if (maxCopy === undefined && trainingText === undefined) return undefined;
  if (maxCopy === undefined || trainingText === undefined) {
    throw new CharnnError(
      "INVALID_SETTING",
      maxCopy === undefined
        ? "--training-text has no effect without a limit on copying."
        : "--max-copy needs the training text, which a checkpoint does not contain.",
      maxCopy === undefined ? "Give --max-copy too." : "Give --training-text FILE... too.",
      { setting: maxCopy === undefined ? "trainingText" : "maxCopy" },
    );
  }
  const { lineEnds } = config.text;
  const { texts, warnings } = await readTexts(
    trainingText,
    { encoding, invalid, lineEnds, joined: true, leftOut: [out] },
    { stdin, signal },
  );
  for (const warning of warnings) onWarning?.(warning);
  return CopyGuard.of(texts[0], vocabulary, maxCopy, signal);
}
