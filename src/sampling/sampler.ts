import type { Tokens, Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import type { CopyGuard } from "../memorization/copy-guard.js";
import type { CharRnn } from "../model/char-rnn.js";
import type { Random } from "../random.js";
import { NEWLINE } from "../text.js";
import { type ChoiceSettings, tokenChooser } from "./distribution.js";

/**
 * A model that reads a text on and on hardly ever starts from a state of zero, and writes its first
 * words badly from there. Without a seed it writes this much unseen first, and then to the line's end.
 */
const SETTLING_CHARACTERS = 100;
/** A text whose lines are long, or which has none, is begun anyway after this many characters. */
const MAX_SETTLING_CHARACTERS = 500;

const NO_CHARACTERS: readonly string[] = [];

/** What to write. */
export interface GenerateSettings extends ChoiceSettings {
  /** The text to go on from; where it is empty, a new line begins. */
  readonly seed?: string;
  /** New characters of each text; -1: without end. */
  readonly length: number;
  /** How many texts, written side by side. */
  readonly count: number;
  /** A text ends once it has written this. */
  readonly stop?: string;
  /** What the model learned from: with `lines` a text ends where its line would. */
  readonly documents?: "lines";
  /** What no text may copy from, the seed included. */
  readonly guard?: CopyGuard | undefined;
}

/** One of the texts. */
interface Stream {
  readonly random: Random;
  /** Characters written unseen until the state has settled; undefined afterwards. */
  settling: number | undefined;
  written: number;
  /** The last characters, as many as the stop text has. */
  tail: string;
  /** The last tokens, the seed's among them, as many as the guard asks for; none without a guard. */
  readonly recent: number[];
  ended: boolean;
}

/**
 * Writes text, one character of each text at a time, and comes back after every step of the model, so that
 * the caller can let others run while a long seed is read.
 *
 * The k-th text depends on the settings, on `random` and on k, not on how many there are.
 *
 * @returns for each text the new character, or `""` when it has none this time: it has ended, or not
 *   begun; an empty array after a step in which no text has a new character
 * @throws CharnnError `UNKNOWN_CHARACTER` for a seed that the model can't read.
 */
export function* generate(
  model: CharRnn,
  vocabulary: Vocabulary,
  settings: GenerateSettings,
  random: Random,
): Generator<readonly string[], void> {
  const { seed = "", length, count, documents } = settings;
  const streams = Array.from(
    { length: count },
    (_, k): Stream => ({
      random: random.fork("stream", k),
      settling: seed === "" && !documents ? 0 : undefined,
      written: 0,
      tail: "",
      recent: [],
      ended: length === 0,
    }),
  );
  const { unknown } = vocabulary;
  const choose = tokenChooser(settings, vocabulary.size);
  const forbid = settings.guard && forbidden(settings.guard, vocabulary.size);
  const session = model.openDecodeSession(count);
  const tokens = new Int32Array(count);
  try {
    let logits: Float32Array | undefined;
    const encoding = vocabulary.encodeInParts(seed);
    let encoded = encoding.next();
    for (; !encoded.done; encoded = encoding.next()) yield NO_CHARACTERS;
    for (const token of primingTokens(vocabulary, encoded.value, documents)) {
      logits = session.step(tokens.fill(token));
      yield NO_CHARACTERS;
    }
    const { guard } = settings;
    for (const stream of streams) remember(stream, guard?.tokensOfEnd(seed) ?? [], guard);
    while (!streams.every((stream) => stream.ended)) {
      const characters = streams.map((stream, k) => {
        if (stream.ended) return "";
        // It is read, but never written.
        if (logits && unknown !== undefined) {
          logits[k * vocabulary.size + unknown] = Number.NEGATIVE_INFINITY;
        }
        if (logits && forbid) forbid(stream, logits.subarray(k * vocabulary.size));
        tokens[k] = logits
          ? choose(logits, k * vocabulary.size, stream.random)
          : stream.random.below(unknown ?? vocabulary.size);
        const character = advance(stream, vocabulary.characterAt(tokens[k]), settings);
        if (character !== "") remember(stream, [tokens[k]], settings.guard);
        return character;
      });
      yield characters.some((character) => character !== "") ? characters : NO_CHARACTERS;
      logits = session.step(tokens);
    }
  } finally {
    session.dispose();
  }
}

/** Keeps the end of a text, as much of it as a guard has to see. */
function remember(
  { recent }: Stream,
  tokens: Iterable<number>,
  guard: CopyGuard | undefined,
): void {
  if (!guard) return;
  for (const token of tokens) recent.push(token);
  recent.splice(0, recent.length - guard.most);
}

/**
 * Makes characters impossible that would go on copying.
 *
 * @returns overwrites a text's logits by minus infinity for each of them
 */
function forbidden(guard: CopyGuard, vocabularySize: number) {
  const isCopy = new Uint8Array(vocabularySize);
  return ({ recent }: Stream, logits: Float32Array): void => {
    if (!guard.mark(recent, isCopy)) {
      throw new CharnnError(
        "COPIES_ONLY",
        `Every possible next character would extend a copy beyond ${guard.most} characters.`,
        "Allow longer ones: --max-copy.",
      );
    }
    for (let token = 0; token < vocabularySize; token++) {
      if (isCopy[token]) logits[token] = Number.NEGATIVE_INFINITY;
    }
  };
}

/** Takes note of a text's next character; `""` for one that is not to be seen. */
function advance(stream: Stream, character: string, settings: GenerateSettings): string {
  if (stream.settling !== undefined) {
    stream.settling++;
    const lineEnds = character === "\n" && stream.settling >= SETTLING_CHARACTERS;
    if (lineEnds || stream.settling >= MAX_SETTLING_CHARACTERS) stream.settling = undefined;
    return "";
  }
  if (settings.documents && character === "\n") {
    stream.ended = true;
    return "";
  }
  stream.written++;
  if (stream.written === settings.length) stream.ended = true;
  if (settings.stop) {
    stream.tail = (stream.tail + character).slice(-settings.stop.length);
    if (stream.tail === settings.stop) stream.ended = true;
  }
  return character;
}

/**
 * What the model reads before it writes: the seed, or else the end of a line, which also comes before every
 * document that the model learned from. A text without line ends gives nothing to begin with, and the first
 * character is left to chance.
 */
function* primingTokens(
  vocabulary: Vocabulary,
  seed: Tokens,
  documents: "lines" | undefined,
): Generator<number> {
  const newline = vocabulary.indexOf(NEWLINE);
  if (newline !== undefined && (seed.length === 0 || documents)) yield newline;
  yield* seed;
}
