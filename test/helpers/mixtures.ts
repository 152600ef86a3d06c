import type { TestContext } from "node:test";
import { openBackend } from "#src/backends/select.js";
import { type Checkpoint, loadCheckpoint, type TrainSettings } from "#src/index.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { loadWeights } from "#src/model/load-weights.js";
import { smallRun, trained, workplace } from "./training.js";

/** Texts each of which has letters that the other lacks. */
export const CATS = "the cat sat on a mat\nand a hat\n".repeat(30);
export const DOGS = "my dog ran to me\nand hid\n".repeat(40);

/** A model that has learned a little of a text. */
export async function learned(
  t: TestContext,
  text: string,
  settings: Partial<TrainSettings> = {},
): Promise<Checkpoint> {
  const place = await workplace(t, text);
  await trained(smallRun(place, { steps: 60, learningRate: 0.02, ...settings }));
  return loadCheckpoint("run", { out: place.out });
}

/**
 * How likely a model takes each character that it knows, after each beginning of a text: the first is after nothing, where
 * all are equally likely. What it does not know it does not read.
 */
export async function expectations(
  t: TestContext,
  { config, tensors, vocabulary }: Checkpoint,
  text: string,
): Promise<ReadonlyMap<string, number>[]> {
  const model = new CharRnn(await openBackend("wasm"), config.model);
  t.after(() => model.dispose());
  loadWeights(model, tensors);
  const session = model.openDecodeSession(1);
  const expected = [byCharacter(new Float32Array(vocabulary.size))];
  for (const character of text) {
    const token = vocabulary.tokenOf(character.codePointAt(0) as number);
    expected.push(
      token === undefined
        ? expected[expected.length - 1]
        : byCharacter(session.step(Int32Array.of(token))),
    );
  }
  session.dispose();
  return expected;

  function byCharacter(logits: Float32Array): ReadonlyMap<string, number> {
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return new Map(
      Array.from(logits, (logit, token) => [
        vocabulary.characterAt(token),
        Math.exp(logit) / total,
      ]),
    );
  }
}

/** The weighted mean of what models expect, over all characters that any of them knows. */
export function mixed(
  expected: readonly ReadonlyMap<string, number>[],
  weights: readonly number[],
): ReadonlyMap<string, number> {
  const characters = new Set(expected.flatMap((own) => [...own.keys()]));
  return new Map(
    Array.from(characters, (character) => [
      character,
      expected.reduce((sum, own, k) => sum + weights[k] * (own.get(character) ?? 0), 0),
    ]),
  );
}
