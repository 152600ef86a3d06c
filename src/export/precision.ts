import { openDecodeSession } from "../backends/kernels/decode-session.js";
import { openWritingModule } from "../backends/wasm/writing-module.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { Inputs } from "../data/inputs.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { evaluateTexts } from "../evaluation/evaluate-texts.js";
import { type Bits, unpackWeights } from "../portable/packed-model.js";
import { PortableModel } from "../portable/portable-model.js";
import { primingTokens } from "../sampling/sampler.js";
import { Turns } from "../turns.js";
import { readKernels } from "./kernels-file.js";
import { packModel } from "./pack-model.js";

/** What fewer bits for the weights change. */
export interface Precision {
  readonly bits: Bits;
  /** The mean and the largest absolute difference of a logit. */
  readonly typical: number;
  readonly largest: number;
  /** In a text that the model wrote, which has so many. */
  readonly characters: number;
  /** Of a text that was named, nats/char: with 32 bits, and with these. */
  readonly loss?: { readonly before: number; readonly after: number };
}

/** Characters after which logits are compared. */
const CHARACTERS = 500;

/**
 * Compares a model with what it becomes with fewer bits for its weights.
 *
 * @param text files whose loss is compared too
 * @throws CharnnError for a text that can't be read; the signal's reason once it is aborted
 */
export async function measurePrecision(
  checkpoint: Checkpoint,
  bits: Bits,
  {
    text,
    signal,
    stdin,
  }: {
    readonly text?: readonly string[] | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  } = {},
): Promise<Precision> {
  const rounded = withBits(checkpoint, bits);
  const compared = await compareLogits(checkpoint, rounded, signal);
  if (text === undefined) return { bits, ...compared };
  const settings = { files: text, unknown: "skip", baselines: false } as const;
  const losses: number[] = [];
  // Standard input is read once, for both.
  const inputs = new Inputs(stdin);
  for (const each of [checkpoint, rounded]) {
    const options = { inputs, ...(signal && { signal }) };
    for await (const { loss } of evaluateTexts(each, settings, options)) losses.push(loss);
  }
  return { bits, ...compared, loss: { before: losses[0], after: losses[1] } };
}

/** A model whose weights are as a file with so many bits for each has them. */
function withBits(checkpoint: Checkpoint, bits: Bits): Checkpoint {
  const { packed, weights } = packModel(checkpoint, bits);
  const tensors = Array.from(unpackWeights(packed, weights), ([name, data]) => {
    const shape = checkpoint.tensors.get(name)?.shape ?? [];
    return [name, { name, shape, data }] as const;
  });
  return { ...checkpoint, tensors: new Map(tensors) };
}

async function compareLogits(
  before: Checkpoint,
  after: Checkpoint,
  signal: AbortSignal | undefined,
): Promise<Pick<Precision, "typical" | "largest" | "characters">> {
  const { packed, weights } = packModel(before, 32);
  const kernels = await readKernels();
  const model = await PortableModel.open(packed, weights, kernels);
  const sessions = await Promise.all([before, after].map((it) => openSession(it, kernels)));
  const turns = new Turns(signal);
  let [sum, count, largest, characters] = [0, 0, 0, 0];
  for (let randomSeed = 0; characters < CHARACTERS; randomSeed++) {
    const length = CHARACTERS - characters;
    const tokens = await written(model, { length, randomSeed, signal });
    // Of a model of documents some may be empty.
    characters += Math.max(tokens.length, 1);
    for (const token of primingTokens(model.vocabulary, tokens, packed.text.documents)) {
      const [a, b] = sessions.map((session) => session.step(Int32Array.of(token)));
      for (let k = 0; k < a.length; k++) {
        const difference = Math.abs(a[k] - b[k]);
        sum += difference;
        if (!(difference <= largest)) largest = difference;
      }
      count += a.length;
      await turns.give();
    }
  }
  return { typical: sum / count, largest, characters };
}

async function written(
  model: PortableModel,
  { signal, ...settings }: { length: number; randomSeed: number; signal: AbortSignal | undefined },
): Promise<ReturnType<Vocabulary["encode"]>> {
  let text = "";
  const how = { ...settings, temperature: 1, ...(signal && { signal }) };
  for await (const character of model.generate("", how)) text += character;
  return model.vocabulary.encode(text);
}

async function openSession({ config, tensors }: Checkpoint, kernels: Uint8Array) {
  const numbers = (name: string) => tensors.get(name)?.data as Float32Array;
  return openDecodeSession(await openWritingModule(kernels), config.model, numbers, 1);
}
