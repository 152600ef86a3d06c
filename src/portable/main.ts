import type { UnknownName } from "../config/names.js";
import type { NextCharacter } from "../sampling/likeliest.js";
import { bytesOfBase64 } from "./base64.js";
import type { PackedModel } from "./packed-model.js";
import { PortableModel, type PortableScore, type PortableSettings } from "./portable-model.js";

/** What an exported module offers. The model is opened at the first call. */
interface Portable {
  generate(prompt?: string, settings?: PortableSettings): AsyncGenerator<string, void>;
  next(text: string, top?: number): Promise<readonly NextCharacter[]>;
  score(
    text: string,
    settings?: { readonly unknown?: UnknownName; readonly signal?: AbortSignal },
  ): Promise<PortableScore[]>;
}

/**
 * The model of an exported module.
 *
 * @param weights as `packWeights` gives them, in base64
 * @param module the bytes of `writing.wasm`, in base64
 */
export function portable(packed: PackedModel, weights: string, module: string): Portable {
  let opened: Promise<PortableModel> | undefined;
  const model = () => {
    opened ??= PortableModel.open(packed, bytesOfBase64(weights), bytesOfBase64(module));
    return opened;
  };
  return {
    async *generate(prompt, settings) {
      yield* (await model()).generate(prompt, settings);
    },
    next: async (text, top) => (await model()).next(text, top),
    score: async (text, settings) => (await model()).score(text, settings),
  };
}
