import { Vocabulary } from "#src/data/vocabulary.js";
import { Random } from "#src/random.js";
import { tokenChooser } from "#src/sampling/distribution.js";
import type { Rule } from "#src/sampling/rules/rule.js";
import { type StreamSettings, TextStream } from "#src/sampling/text-stream.js";

export function vocabularyOf(characters: string): Vocabulary {
  const codePoints = Array.from(characters, (character) => character.codePointAt(0) as number);
  return Vocabulary.fromCodePoints(codePoints);
}

/** Writes a text by rules, where each character is as likely as all others. */
export function writeByRules(
  vocabulary: Vocabulary,
  rules: readonly Rule[],
  settings: Partial<StreamSettings> & { readonly prompt?: string; readonly seed?: number } = {},
): string {
  const { prompt: text = "", seed = 0, ...others } = settings;
  const shared = {
    choose: tokenChooser({ topK: 0, topP: 1 }, vocabulary.size),
    forbidden: new Uint8Array(vocabulary.size),
  };
  const stream = new TextStream(
    vocabulary,
    { length: 30, temperature: 1, rules, ...others },
    { text, tokens: vocabulary.encode(text) },
    Random.fromSeed(seed),
    shared,
    false,
  );
  let written = "";
  while (!stream.ended) written += stream.next(new Float32Array(vocabulary.size), 0);
  return written;
}
