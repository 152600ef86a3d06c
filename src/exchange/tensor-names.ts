/** Which tensor of a PyTorch model is which parameter: by charnn's names, or by a map that a user gives. */
import type { TensorEntry } from "../checkpoint/safetensors.js";
import { listFew } from "../data/characters.js";
import { CharnnError, shortened } from "../errors.js";
import { parseBounded } from "../files/bounded-json.js";

/** Tensors of a file by their names there. */
export type Tensors = ReadonlyMap<string, TensorEntry>;

/** What wrappers put before each name: DataParallel, and torch.compile. */
const WRAPPERS = /^(?:(?:module|_orig_mod)\.)+/;
const MODULES = ["encoder", "ngram2", "ngram3", "ngram4", "ngram5", "rnn", "decoder"] as const;
const PARAMETER =
  /^(?:encoder\.weight|ngram[2-5]\.weight|decoder\.(?:weight|bias)|rnn\.(?:weight|bias)_(?:ih|hh)_l\d{1,2})$/;
/** Modules, and each parameter of more layers than a model has. */
const MAP_HINT = 'A map is a JSON object such as {"rnn": "lstm"}.';
const MAP_BOUNDS = { depth: 1, values: 2_048 };
const TO_DOCS = "docs/checkpoint-format.md shows a model that fits.";

/**
 * Tensors by their names without what wrappers put before them.
 *
 * @throws CharnnError `BAD_CHECKPOINT` where two names become one
 */
export function unwrapped(tensors: Tensors): Map<string, TensorEntry> {
  const found = new Map<string, TensorEntry>();
  for (const [name, entry] of tensors) {
    const own = name.replace(WRAPPERS, "");
    if (found.has(own)) {
      throw bad(`it has the tensor ${shortened(own)} twice, as ${shortened(name)} too`);
    }
    found.set(own, entry);
  }
  return found;
}

/** What modules and tensors are called in a file, by charnn's names of them. */
export class NameMap {
  readonly #names: ReadonlyMap<string, string>;

  constructor(names: ReadonlyMap<string, string> = new Map()) {
    this.#names = names;
  }

  /**
   * Reads `{"rnn": "lstm", "decoder.weight": "head.weight"}`.
   *
   * @throws CharnnError `BAD_CHECKPOINT`
   */
  static fromJSON(text: string): NameMap {
    const value = parsed(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw bad("it is not a JSON object", MAP_HINT);
    }
    const names = new Map<string, string>();
    for (const [own, theirs] of Object.entries(value)) {
      const shown = JSON.stringify(shortened(own));
      if (!MODULES.some((module) => module === own) && !PARAMETER.test(own)) {
        const hint =
          "Its names are encoder, ngram2 to ngram5, rnn and decoder, or those of single tensors such as rnn.weight_ih_l0; each has the name in the file as its value.";
        throw bad(`${shown} is no module or tensor of charnn`, hint);
      }
      if (typeof theirs !== "string" || theirs === "") {
        throw bad(
          `the value of ${shown} is ${shortened(JSON.stringify(theirs))}, which is not a name`,
        );
      }
      names.set(own, theirs.replace(WRAPPERS, ""));
    }
    return new NameMap(names);
  }

  /** What a parameter is called in the file. */
  of(parameter: string): string {
    const own = this.#names.get(parameter);
    if (own !== undefined) return own;
    const [module, ...rest] = parameter.split(".");
    return [this.#names.get(module) ?? module, ...rest].join(".");
  }

  /**
   * Refuses a map that names what a file does not have.
   *
   * @throws CharnnError `BAD_CHECKPOINT`
   */
  check(tensors: Tensors): void {
    const names = [...tensors.keys()];
    for (const [own, theirs] of this.#names) {
      const isModule = MODULES.some((module) => module === own);
      const isThere = isModule
        ? names.some((name) => name.startsWith(`${theirs}.`))
        : tensors.has(theirs);
      if (isThere) continue;
      const what = isModule ? "module" : "tensor";
      throw bad(
        `it has no ${what} ${shortened(theirs)}, which \`map\` names for ${own}`,
        listed(tensors),
      );
    }
  }
}

/**
 * The error for a file that lacks a tensor, with a map that may help.
 *
 * @param name of the tensor in the file
 */
export function lackingTensor(name: string, tensors: Tensors): CharnnError {
  const guess = guessedMap(tensors);
  const hint = guess
    ? `${listed(tensors)} If they are the layers of this model, give \`map\` a file with ${guess}`
    : `${listed(tensors)} ${TO_DOCS} Where its modules have other names, give \`map\`.`;
  return bad(`its tensor ${shortened(name)} is missing`, hint);
}

/** The error for a tensor that is no part of such a model. */
export function foreignTensor(name: string, { shape }: TensorEntry): CharnnError {
  const what = `its tensor ${shortened(name)} ${shapeText(shape)}`;
  if (name.endsWith("_reverse")) {
    return bad(
      `${what} belongs to a bidirectional layer`,
      "Such a layer reads what comes next, so it can't write; charnn has none.",
    );
  }
  if (/\bweight_hr_l\d+$/.test(name)) {
    return bad(`${what} belongs to an LSTM with proj_size, which charnn does not have`, TO_DOCS);
  }
  return bad(
    `${what} is not part of such a model`,
    `A model for charnn has an encoder, recurrent layers and a decoder, and nothing else. ${TO_DOCS}`,
  );
}

function parsed(text: string): unknown {
  try {
    return parseBounded(text, MAP_BOUNDS, "it");
  } catch (error) {
    if (!(error instanceof CharnnError)) throw error;
    throw bad(error.message, MAP_HINT);
  }
}

/** The map, as JSON, with which a file might fit; undefined where shapes do not tell. */
function guessedMap(tensors: Tensors): string | undefined {
  const shapeOf = (name: string) => tensors.get(name)?.shape ?? [];
  const modulesBy = (ending: string) =>
    [...tensors.keys()]
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length));
  const [rnn, ...others] = modulesBy(".weight_ih_l0");
  if (rnn === undefined || others.length > 0) return undefined;
  const [, inputs] = shapeOf(`${rnn}.weight_ih_l0`);
  const [, hidden] = shapeOf(`${rnn}.weight_hh_l0`);
  const matrices = modulesBy(".weight").filter((module) => module !== rnn);
  const decoders = matrices.filter((module) => {
    const [rows, columns] = shapeOf(`${module}.weight`);
    return columns === hidden && shapeOf(`${module}.bias`).join() === `${rows}`;
  });
  if (decoders.length !== 1) return undefined;
  const [decoder] = decoders;
  const [characters] = shapeOf(`${decoder}.weight`);
  const encoders = matrices.filter(
    (module) =>
      module !== decoder && shapeOf(`${module}.weight`).join() === `${characters},${inputs}`,
  );
  if (encoders.length > 1) return undefined;
  const [encoder] = encoders;
  const map = Object.entries({ encoder, rnn, decoder }).filter(
    ([own, theirs]) => theirs !== undefined && theirs !== own,
  );
  return map.length > 0 ? JSON.stringify(Object.fromEntries(map)) : undefined;
}

/** `[3, 4]` */
export function shapeText(shape: readonly number[]): string {
  return shortened(`[${shape.join(", ")}]`);
}

function listed(tensors: Tensors): string {
  const names = [...tensors].map(([name, { shape }]) => `${shortened(name)} ${shapeText(shape)}`);
  return names.length > 0 ? `It has ${listFew(names, 12)}.` : "It has no tensors.";
}

function bad(message: string, hint?: string): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message, hint);
}
