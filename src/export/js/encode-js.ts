import { readFile } from "node:fs/promises";
import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import type { Bits } from "../../portable/packed-model.js";
import { JS_MARKER } from "../../run-files.js";
import { readKernels } from "../kernels-file.js";
import { packModel } from "../pack-model.js";

const PROGRAM = new URL("../../portable/main.bundle.js", import.meta.url);

/** An ES module that writes with a model, and needs nothing else. */
export async function encodeJs(checkpoint: Checkpoint, bits: Bits): Promise<Uint8Array> {
  const [program, kernels] = await Promise.all([readFile(PROGRAM, "utf8"), readKernels()]);
  const { packed, weights } = packModel(checkpoint, bits);
  const base64 = (bytes: Uint8Array) => JSON.stringify(Buffer.from(bytes).toString("base64"));
  return Buffer.from(`${JS_MARKER}
${program.trim()}
const model = charnn.portable(
${escaped(JSON.stringify(packed))},
${base64(weights)},
${base64(kernels)},
);
export const { generate, next, score } = model;
`);
}

/** In ASCII, so that it means the same in every encoding. */
function escaped(json: string): string {
  return json.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The first line of the types of every exported module. */
export const TYPES_MARKER = "// The types of a model by charnn that writes text.";

/** The types of the module, for TypeScript. */
export const TYPES = `${TYPES_MARKER}

/** What to write, and how. */
export interface Settings {
  /** New characters; -1: without end. Default: 500. */
  readonly length?: number;
  /** 0 always takes the likeliest character. Default: 0.8. */
  readonly temperature?: number;
  /** Chooses among this many of the likeliest characters; 0: all. Default: 0. */
  readonly topK?: number;
  /** Chooses among the likeliest characters that together have this probability. Default: 1. */
  readonly topP?: number;
  /** Chooses among characters at least this fraction as likely as the likeliest. Default: 0. */
  readonly minP?: number;
  /** The text ends when one of these has been written. */
  readonly stop?: readonly string[];
  /** The text has this many lines, the one that the prompt begins included. */
  readonly lines?: number;
  /** The same number writes the same text. Default: another each time. */
  readonly randomSeed?: number;
  /** What to do with characters of the prompt that the model does not know. Default: \`error\`. */
  readonly unknown?: "error" | "skip" | "map";
  readonly signal?: AbortSignal;
}

/** Continues a text, character by character. */
export function generate(prompt?: string, settings?: Settings): AsyncGenerator<string, void>;

/** The likeliest next characters after a text, the likeliest first; \`""\` is the end of a document. */
export function next(
  text: string,
  top?: number,
): Promise<readonly { readonly character: string; readonly probability: number }[]>;

/** How surprising each character of a text is: bits, undefined for the first one. */
export function score(
  text: string,
  settings?: Pick<Settings, "unknown" | "signal">,
): Promise<{ readonly character: string; readonly bits: number | undefined }[]>;
`;
