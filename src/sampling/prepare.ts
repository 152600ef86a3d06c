import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { SAMPLE, SAMPLE_DEFAULTS, type SampleSettings } from "../config/sample.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import type { Normalization } from "../data/normalizer.js";
import { normalizedText, prepareText } from "../data/prepare-text.js";
import { type NamedText, readTexts } from "../data/texts.js";
import { leftOut, readAsOthers, readAsUnknown } from "../data/unknown-characters.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import { CopyGuard } from "../memorization/copy-guard.js";
import type { Random } from "../random.js";
import { DOCUMENT_END, NEWLINE } from "../text.js";
import { inPieces, Turns } from "../turns.js";
import { candidatesAtOnce, rejects, type Selection } from "./candidates.js";
import { type Network, openNetworks, readerOf } from "./mixture.js";
import { Possible } from "./possible.js";
import { characterRule } from "./rules/characters.js";
import { copyRule } from "./rules/copies.js";
import { matchRule } from "./rules/match.js";
import { repeatRule } from "./rules/repeats.js";
import type { Rule } from "./rules/rule.js";
import { WordList } from "./rules/word-list.js";
import { wordRule } from "./rules/words.js";
import { type GenerateSettings, randomOf } from "./sampler.js";

/** What a sampling is given beside its settings. */
export interface SampleOptions {
  readonly signal?: AbortSignal | undefined;
  /** What the file `-` stands for. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Called where texts are chosen among several, with how many there are so far. */
  readonly onCandidates?: ((done: number, written: number) => void) | undefined;
}

/** All that is needed to write. */
export interface Sampling {
  readonly model: Network;
  readonly vocabulary: Vocabulary;
  readonly generating: GenerateSettings;
  readonly random: Random;
  readonly selection: Selection;
  /** Whether several texts may be written for one that is kept. */
  readonly isChosen: boolean;
  readonly turns: Turns;
  readonly options: SampleOptions;
}

const CARRIAGE_RETURN = 0x0d;
const schema = settingsSchema<SampleSettings>(SAMPLE);
type Settings = SampleSettings & typeof SAMPLE_DEFAULTS;

/**
 * Checks settings, reads the files that they name, and opens the model, which the caller disposes of.
 *
 * @throws CharnnError as `sample` does
 */
export async function prepareSampling(
  checkpoints: readonly Checkpoint[],
  given: SampleSettings,
  options: SampleOptions,
): Promise<Sampling> {
  const checkpoint = readerOf(checkpoints);
  const { settings, generating } = await prepareWriting(checkpoint, given, options);
  const { vocabulary } = checkpoint;
  const { signal, onWarning } = options;
  const selection = await openSelection(settings, generating, checkpoint, options);
  const { backend, threads, count, mix } = settings;
  const isChosen = selection.bestOf > 1 || rejects(selection);
  const streams = isChosen ? candidatesAtOnce(count, selection) : count;
  const own = { backend, threads };
  const model = await openNetworks(checkpoints, mix, own, { streams }, onWarning);
  return {
    model,
    vocabulary,
    generating: { ...generating, measures: isChosen },
    random: randomOf(settings.randomSeed ?? 0),
    selection,
    isChosen,
    turns: new Turns(signal),
    options,
  };
}

/**
 * Checks settings, reads the files that they name, and makes the limits on what is written.
 *
 * @throws CharnnError as `sample` does
 */
export async function prepareWriting(
  checkpoint: Checkpoint,
  given: SampleSettings,
  options: SampleOptions,
): Promise<{ readonly settings: Settings; readonly generating: GenerateSettings }> {
  const { config, vocabulary } = checkpoint;
  const settings = inLettersOf(config.text, {
    ...SAMPLE_DEFAULTS,
    ...definedOnly(checked(schema, given)),
  });
  options.signal?.throwIfAborted();
  const rules = await openRules(settings, checkpoint, options);
  new Possible(vocabulary, rules).refuseEnds(settings);
  const prompt = await readable(settings, checkpoint, options);
  const { documents } = config.text;
  return { settings, generating: { ...settings, prompt, documents, rules } };
}

/** Settings with the texts that are looked for in what the model writes as it would write them. */
function inLettersOf(normalization: Normalization, settings: Settings): Settings {
  const own = (texts: readonly string[] | undefined) =>
    texts?.map((text) => normalizedText(text, normalization));
  return { ...settings, stop: own(settings.stop), include: own(settings.include) };
}

async function openRules(
  settings: Settings,
  checkpoint: Checkpoint,
  options: SampleOptions,
): Promise<Rule[]> {
  const { vocabulary, config } = checkpoint;
  const { allow, forbid, match, maxRepeat, words, length } = settings;
  const rules: Rule[] = [];
  if (allow !== undefined) rules.push(characterRule("allow", allow, vocabulary));
  if (forbid !== undefined) rules.push(characterRule("forbid", forbid, vocabulary));
  if (match !== undefined) {
    const lines = config.text.documents === "lines" ? 1 : settings.lines;
    rules.push(matchRule(match, vocabulary, { lines, length }));
  }
  if (maxRepeat !== undefined) rules.push(repeatRule(maxRepeat, vocabulary));
  const guard = await openCopyGuard(settings, checkpoint, options);
  if (guard) rules.push(copyRule(guard));
  if (words !== undefined) {
    const texts = await read(words, settings, checkpoint, options);
    rules.push(wordRule(await WordList.of(texts, vocabulary, options.signal), vocabulary));
  }
  return rules;
}

/** What keeps the texts from copying, where that was asked for. */
async function openCopyGuard(
  settings: Settings,
  checkpoint: Checkpoint,
  options: SampleOptions,
): Promise<CopyGuard | undefined> {
  const { maxCopy, trainingText } = settings;
  if (maxCopy === undefined && trainingText === undefined) return undefined;
  if (maxCopy === undefined || trainingText === undefined) {
    throw new CharnnError(
      "INVALID_SETTING",
      maxCopy === undefined
        ? "trainingText has no effect without a limit on copying."
        : "maxCopy needs the training text, which a checkpoint does not contain.",
      maxCopy === undefined ? "Give `maxCopy` too." : "Give `trainingText` too.",
      { setting: maxCopy === undefined ? "trainingText" : "maxCopy" },
    );
  }
  const [text] = await read(trainingText, settings, checkpoint, options);
  return CopyGuard.of(text, checkpoint.vocabulary, maxCopy, options.signal);
}

async function openSelection(
  settings: Settings,
  { prompt = "", rules = [] }: GenerateSettings,
  checkpoint: Checkpoint,
  options: SampleOptions,
): Promise<Selection> {
  const { bestOf, include = [], unique = false, new: lists } = settings;
  new Possible(checkpoint.vocabulary, rules).refuseInclude(include, settings.length);
  refuseSame(settings);
  const known = new Set<string>();
  if (lists !== undefined) {
    const { documents } = checkpoint.config.text;
    const texts = await read(lists, settings, checkpoint, options, documents);
    for (const text of texts) await addPieces(text, documents, known, options.signal);
  }
  return { bestOf, include, unique, known, prompt };
}

/** Refuses a choice among texts of which each is like the others. */
function refuseSame({ temperature, topK, include, unique, count, bestOf }: Settings): void {
  const isSame = topK === 1 || [temperature].flat().every((it) => it === 0);
  if (!isSame) return;
  const setting =
    include !== undefined ? "include" : unique && count * bestOf > 1 ? "unique" : undefined;
  if (setting === undefined) return;
  const cause = topK === 1 ? "`topK: 1`" : "`temperature: 0`";
  throw new CharnnError(
    "INVALID_SETTING",
    `${setting} does nothing where every text is the same, as with ${cause}.`,
    `Leave it out, or choose among more characters, as by \`temperature: 0.8\`.`,
    { setting },
  );
}

/** Adds the documents of a text of a model, or its lines where the model has none. */
async function addPieces(
  { numbers, codePoints }: NamedText,
  documents: string | undefined,
  pieces: Set<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const areLines = documents === undefined || documents === "lines";
  const end = codePoints.indexOf(areLines ? NEWLINE : DOCUMENT_END);
  let piece = "";
  await inPieces(numbers.length, signal, (from, to) => {
    for (const number of numbers.subarray(from, to)) {
      if (number !== end) piece += String.fromCodePoint(codePoints[number]);
      else {
        pieces.add(piece);
        piece = "";
      }
    }
  });
  pieces.add(piece);
}

/**
 * Reads files as the model has read its own text.
 *
 * @param documents into which they are divided, where they are
 */
async function read(
  files: readonly string[],
  { encoding, invalid, out }: Settings,
  { config, vocabulary }: Checkpoint,
  { stdin, signal, onWarning }: SampleOptions,
  documents?: string,
): Promise<readonly NamedText[]> {
  const { normalize, lowercase } = config.text;
  // A model that knows no carriage return never writes one.
  const lineEnds = vocabulary.indexOf(CARRIAGE_RETURN) === undefined ? "lf" : config.text.lineEnds;
  const rewriting = { normalize, lowercase, documents };
  const { texts, warnings } = await readTexts(
    files,
    { encoding, invalid, lineEnds, rewriting, joined: true, leftOut: [out] },
    { stdin, signal },
  );
  for (const warning of warnings) onWarning?.(warning);
  return texts;
}

/** The seed in characters that the model knows, or reads as its unknown one. */
async function readable(
  { seed = "", unknown }: Settings,
  { vocabulary, config }: Checkpoint,
  { signal, onWarning }: SampleOptions,
): Promise<string> {
  const prepared = await prepareText(seed, { vocabulary, ...config.text }, unknown, signal);
  const { text, skipped, skippedCharacters, mapped, mappings } = prepared;
  if (skipped > 0) onWarning?.(`Of the seed, ${leftOut(skipped, skippedCharacters)}`);
  if (mapped > 0) onWarning?.(`Of the seed, ${readAsOthers(mapped, mappings)}`);
  await warnOfUnknown(text, vocabulary, new Turns(signal), onWarning);
  return text;
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
