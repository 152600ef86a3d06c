import type { DecodeSession } from "../backends/backend.js";
import { documentEndOf } from "../data/documents.js";
import type { Tokens, Vocabulary } from "../data/vocabulary.js";
import { Random } from "../random.js";
import { NEWLINE } from "../text.js";
import { type ChoiceSettings, tokenChooser } from "./distribution.js";
import type { Network } from "./mixture.js";
import { type StreamSettings, TextStream } from "./text-stream.js";

const NO_CHARACTERS: readonly string[] = [];

/** What to write. */
export interface GenerateSettings extends ChoiceSettings, StreamSettings {
  /** The text to continue; nothing: a new line begins. */
  readonly prompt?: string | undefined;
  /** How many texts, written side by side. */
  readonly count: number;
  /** What the model learned from, where that is not running text: a text ends where such a document would. */
  readonly documents?: string | undefined;
}

/**
 * Writes texts, one character of each at a time, and comes back after every step of the model, so that
 * the caller can let others run while a long prompt is read.
 *
 * The k-th text depends on the settings, on `random` and on k, not on how many there are.
 *
 * @param fork gives the random numbers of the k-th text
 * @returns for each text the new character, or `""` when it has none this time: it has ended, or not
 *   begun; an empty array after a step in which no text has a new character. At the end, the texts' streams
 * @throws CharnnError `UNKNOWN_CHARACTER` for a prompt that the model can't read, `INVALID_SETTING` for one that no
 *   text can continue by the rules, `NOTHING_ALLOWED` where these leave no character
 */
export function* generate(
  model: Pick<Network, "openDecodeSession">,
  vocabulary: Vocabulary,
  settings: GenerateSettings,
  random: Random,
  fork = (k: number) => random.fork("stream", k),
): Generator<readonly string[], readonly TextStream[]> {
  const { prompt: text = "", count, documents } = settings;
  const session = model.openDecodeSession(count);
  try {
    const encoding = vocabulary.encodeInParts(text);
    let encoded = encoding.next();
    for (; !encoded.done; encoded = encoding.next()) yield NO_CHARACTERS;
    const prompt = { text, tokens: encoded.value };
    const streamSettings = withEnd(settings, vocabulary);
    const chooser = {
      choose: tokenChooser(settings, vocabulary.size),
      forbidden: new Uint8Array(vocabulary.size),
    };
    const settles = text === "" && !documents;
    const streams = Array.from(
      { length: count },
      (_, k) => new TextStream(vocabulary, streamSettings, prompt, fork(k), chooser, settles),
    );
    const tokens = new Int32Array(count);
    let logits: Float32Array | undefined;
    const token = new Int32Array(1);
    for (const read of primingTokens(vocabulary, prompt.tokens, documents)) {
      token[0] = read;
      logits = session.step(token);
      yield NO_CHARACTERS;
    }
    if (logits) logits = shared(session, logits, count);
    for (;;) {
      const characters = streams.map((stream, k) =>
        stream.ended ? "" : stream.next(logits, k * vocabulary.size),
      );
      yield characters.some((character) => character !== "") ? characters : NO_CHARACTERS;
      if (streams.every(({ ended }) => ended)) return streams;
      for (const [k, { token }] of streams.entries()) tokens[k] = token;
      logits = session.step(tokens);
    }
  } finally {
    session.dispose();
  }
}

/** Gives all texts what the first one has read. */
function shared(session: DecodeSession, logits: Float32Array, count: number): Float32Array {
  const ofAll = new Float32Array(count * logits.length);
  const state = session.readState(0);
  for (let k = 0; k < count; k++) {
    ofAll.set(logits, k * logits.length);
    if (k > 0) session.writeState(k, state);
  }
  return ofAll;
}

/** With the end of a document: that of a line, or a token that is not written. */
export function withEnd(settings: GenerateSettings, { documentEnd }: Vocabulary): StreamSettings {
  if (settings.documents === undefined) return settings;
  return settings.documents === "lines" ? { ...settings, lines: 1 } : { ...settings, documentEnd };
}

/**
 * What the model reads before it writes: the prompt, or else the end of a line; of a model of documents the end of
 * one, which comes before each, and the prompt too. A text without line ends gives nothing to begin with, and the first
 * character is left to chance.
 */
export function* primingTokens(
  vocabulary: Vocabulary,
  prompt: Tokens,
  documents: string | undefined,
): Generator<number> {
  const newline = vocabulary.indexOf(NEWLINE);
  if (documents !== undefined) yield documentEndOf(vocabulary, documents);
  else if (newline !== undefined && prompt.length === 0) yield newline;
  yield* prompt;
}

/** The random numbers of a sampling. */
export function randomOf(randomSeed: number): Random {
  return Random.fromSeed(randomSeed).fork("sample");
}
