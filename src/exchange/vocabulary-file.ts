/** The characters of a model of another program, in the order of their indices. */
import { describeCharacter, singleCodePoint } from "../data/characters.js";
import { MAX_VOCABULARY_SIZE } from "../data/vocabulary.js";
import { CharnnError, shortened } from "../errors.js";
import { parseBounded } from "../files/bounded-json.js";
import { type FileKind, withFile } from "../files/readable-file.js";
import { counted, formatCount } from "../text.js";

const FILE: FileKind = { noun: "file" };
/** More than `stoi` and `itos` of the largest vocabulary take. */
const MAX_BYTES = 16 * 1024 * 1024;
const BOUNDS = { depth: 2, values: 5 * MAX_VOCABULARY_SIZE };
const FORMS =
  "A vocabulary is a JSON list of characters, a JSON object that gives each character its index, or plain text, the characters one after the other.";

/** Which characters a model knows. */
interface Wanted {
  /** How many it has. */
  readonly size: number;
  /** What says so, for messages: `weights.safetensors`. */
  readonly weights: string;
}

/**
 * Reads the characters of a model from a file of JSON or plain text.
 *
 * @returns code points by index
 * @throws CharnnError `NOT_FOUND`, `NOT_READABLE` or `BAD_CHECKPOINT`
 */
export async function readVocabulary(path: string, wanted: Wanted): Promise<number[]> {
  return withFile(path, FILE, async (file) => {
    if (file.size > MAX_BYTES) throw bad("it is larger than any vocabulary");
    const bytes = new Uint8Array(file.size);
    await file.readInto(bytes, 0);
    const text = decoded(bytes);
    const isJson = path.toLowerCase().endsWith(".json") || isJsonOf(text);
    if (isJson) return checkedCharacters(charactersIn(parsed(text, "it")), wanted);
    return checkedCharacters(Array.from(text), wanted, plainTextHint(text));
  });
}

/**
 * The same from the metadata of a file of weights.
 *
 * @throws CharnnError `BAD_CHECKPOINT`
 */
export function vocabularyFrom(json: string, wanted: Wanted): number[] {
  try {
    return checkedCharacters(charactersIn(parsed(json, "it")), wanted);
  } catch (error) {
    if (!(error instanceof CharnnError)) throw error;
    const message = `The vocabulary in the metadata of ${wanted.weights} can't be used: ${error.message}.`;
    throw new CharnnError(error.code, message, error.hint, { cause: error });
  }
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw bad("it is not UTF-8", FORMS, cause);
  }
}

/** Whether a text is a JSON list or object, which no list of different characters can be. */
function isJsonOf(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    parsed(text, "it");
    return true;
  } catch {
    return false;
  }
}

function parsed(text: string, what: string): unknown {
  try {
    return parseBounded(text, BOUNDS, what);
  } catch (error) {
    if (!(error instanceof CharnnError)) throw error;
    throw bad(error.message, FORMS, error);
  }
}

/** What JSON says that the characters are, in the order of their indices. */
function charactersIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) throw bad("it is no list or object", FORMS);
  const { stoi, itos } = value as { readonly stoi?: unknown; readonly itos?: unknown };
  if (Array.isArray(itos)) return itos;
  if (isObject(stoi)) return byIndex(Object.entries(stoi));
  if (isObject(itos)) return byIndex(turnedRound(itos));
  const areCharacters = Object.values(value).every((it) => typeof it === "string");
  return byIndex(areCharacters ? turnedRound(value) : Object.entries(value));
}

/** The characters and indices of an object from indices to characters. */
function turnedRound(itos: object): [character: unknown, index: unknown][] {
  return Object.entries(itos).map(([key, it]) => [it, /^\d+$/.test(key) ? Number(key) : key]);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws CharnnError unless the indices are 0, 1, 2 ..., each once */
function byIndex(pairs: readonly (readonly [character: unknown, index: unknown])[]): unknown[] {
  const characters = new Map<number, unknown>();
  for (const [character, index] of pairs) {
    const isIndex = Number.isSafeInteger(index) && (index as number) >= 0;
    if (!isIndex || (index as number) >= pairs.length) {
      const last = formatCount(pairs.length - 1);
      throw bad(
        `its index of ${shown(character)} is ${shown(index)}, and not a number from 0 to ${last}`,
        FORMS,
      );
    }
    if (characters.has(index as number)) {
      const other = shown(characters.get(index as number));
      throw bad(`${other} and ${shown(character)} have the same index, ${index}`);
    }
    characters.set(index as number, character);
  }
  return pairs.map((_, index) => characters.get(index));
}

/** @param hint what may be wrong where the number of characters is */
function checkedCharacters(
  characters: readonly unknown[],
  { size, weights }: Wanted,
  hint = "The vocabulary must be the one that the model was trained with, in the same order.",
): number[] {
  const indices = new Map<number, number>();
  for (const [index, character] of characters.entries()) {
    const codePoint = singleCodePoint(character);
    if (codePoint === undefined) {
      throw bad(
        `its entry ${index} is ${shown(character)}, which is not one character`,
        "charnn learns single Unicode characters: no words, no marks such as <unk>.",
      );
    }
    const other = indices.get(codePoint);
    if (other !== undefined) {
      throw bad(
        `it has ${describeCharacter(codePoint)} twice, as entries ${other} and ${index}`,
        hint,
      );
    }
    indices.set(codePoint, index);
  }
  if (characters.length !== size) {
    const count = counted(characters.length, "character");
    throw bad(`it has ${count}, and the model in ${weights} is made for ${size}`, hint);
  }
  return [...indices.keys()];
}

/** Editors and `echo` end a file with a newline that is no part of the vocabulary. */
function plainTextHint(text: string): string {
  return text.endsWith("\n")
    ? "The newline at its end counts as a character too; remove it unless it is in the vocabulary."
    : "In plain text each character counts, newlines too: all in the order of their indices, each once.";
}

function shown(value: unknown): string {
  return shortened(JSON.stringify(value) ?? String(value));
}

function bad(message: string, hint?: string, cause?: unknown): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message, hint, { cause });
}
