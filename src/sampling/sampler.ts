import { disposeAll } from "../backends/scope.js";
import type { Vocabulary } from "../data/vocabulary.js";
import type { CharRnn, StreamState } from "../model/char-rnn.js";
import type { Random } from "../random.js";
import { type ChoiceSettings, chooseToken } from "./distribution.js";

const NEWLINE = 0x0a;

/** What to write. */
export interface GenerateSettings extends ChoiceSettings {
  /** The text to go on from; nothing: a line of its own begins. */
  readonly seed?: string;
  /** New characters of each text; -1: without end. */
  readonly length: number;
  /** How many texts, written side by side. */
  readonly count: number;
  /** A text ends after this, when it comes to write it. */
  readonly stop?: string;
  /** What the model learned from: with `lines` a text ends where its line would. */
  readonly documents?: "lines";
}

/**
 * Writes text, one character of each text at a time.
 *
 * The k-th text depends on the settings, on `random` and on k, not on how many there are.
 *
 * @returns for each text the new character, or `""` when that text has ended
 * @throws CharnnError `UNKNOWN_CHARACTER` for a seed that the model can't read.
 */
export function* generate(
  model: CharRnn,
  vocabulary: Vocabulary,
  settings: GenerateSettings,
  random: Random,
): Generator<readonly string[], void> {
  const { length, count, stop } = settings;
  const streams = Array.from({ length: count }, (_, k) => ({
    random: random.fork("stream", k),
    token: 0,
    ended: false,
    tail: "",
  }));
  let state = model.zeroStreams(count);
  let logits: Float32Array | undefined;
  const read = (tokens: Int32Array) => {
    const next = model.step(tokens, state);
    disposeAll(state);
    logits = next.logits.dataSync<"float32">();
    next.logits.dispose();
    state = withoutLogits(next);
  };
  try {
    for (const token of primingTokens(vocabulary, settings)) {
      read(new Int32Array(count).fill(token));
    }
    for (let written = 0; written !== length && !streams.every((s) => s.ended); written++) {
      const characters = streams.map((stream, k) => {
        if (stream.ended) return "";
        stream.token = logits
          ? chooseToken(
              logits.subarray(k * vocabulary.size, (k + 1) * vocabulary.size),
              settings,
              stream.random,
            )
          : stream.random.below(vocabulary.size);
        const character = vocabulary.characterAt(stream.token);
        if (settings.documents && character === "\n") {
          stream.ended = true;
          return "";
        }
        if (stop) {
          stream.tail = (stream.tail + character).slice(-stop.length);
          stream.ended = stream.tail === stop;
        }
        return character;
      });
      yield characters;
      read(Int32Array.from(streams, (stream) => stream.token));
    }
  } finally {
    disposeAll(state);
  }
}

/**
 * What the model reads before it writes: the seed, or else the end of a line, with which every
 * document of its own begins too. A text without line ends gives nothing to begin with, and the
 * first character is left to chance.
 */
function primingTokens(
  vocabulary: Vocabulary,
  { seed = "", documents }: GenerateSettings,
): readonly number[] {
  const tokens = [...vocabulary.encode(seed)];
  const newline = vocabulary.indexOf(NEWLINE);
  return newline !== undefined && (seed === "" || documents) ? [newline, ...tokens] : tokens;
}

function withoutLogits({ hidden, cellState }: StreamState): StreamState {
  return cellState ? { hidden, cellState } : { hidden };
}
