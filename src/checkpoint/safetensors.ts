/**
 * The safetensors format, bytes in and bytes out: eight bytes with the length of the header (u64,
 * little-endian), the header (a JSON object, padded with spaces), then the tensors' elements in C
 * order, little-endian, one tensor right after the other. Of its element types charnn writes one, F32.
 *
 * Everything is checked before anything is used, as strictly as the format's own reader does and a
 * little more. What is wrong with a file is a CharnnError `BAD_CHECKPOINT` whose message speaks of
 * the file as "it": the caller, who knows the path, puts it in front.
 */
import { endianness } from "node:os";
import { CharnnError } from "../errors.js";
import { type JsonBounds, scanJson } from "../files/bounded-json.js";

/** A tensor with its name: `data` holds the elements of `shape` in C order. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Where the data begins in the file, bytes. */
  readonly dataStart: number;
}

/** What the header says of a tensor. */
export interface TensorEntry {
  /** Of its elements: `F32`. */
  readonly type: string;
  readonly shape: readonly number[];
  /** First byte, and the byte after the last, counted from the beginning of the data. */
  readonly start: number;
  readonly end: number;
}

/** Element types that can be read: bytes of an element by the format's name of its type. */
type ElementTypes = ReadonlyMap<string, number>;

const OWN_TYPES: ElementTypes = new Map([["F32", Float32Array.BYTES_PER_ELEMENT]]);

/** Of the number at the beginning of a file. */
export const LENGTH_BYTES = 8;
const METADATA_KEY = "__metadata__";
/**
 * More than a checkpoint can need: 65,536 characters of vocabulary take less than a megabyte, 64 layers with
 * their averages and moments some 1,200 tensors with ten values each. The format allows headers of
 * 100,000,000 bytes, out of which `JSON.parse` can be made to build gigabytes of objects.
 */
const MAX_HEADER_BYTES = 2 * 1024 * 1024;
const HEADER_BOUNDS: JsonBounds = {
  /** The header, a tensor in it, and that tensor's shape. */
  depth: 3,
  values: 32_768,
};
/** The characters of JSON, besides digits, that a header has outside its strings. */
const PUNCTUATION = new Set(Array.from("{}[],: \t\r\n", (character) => character.charCodeAt(0)));

/**
 * Makes a file, as pieces to be written one after the other. Equal tensors and metadata in equal
 * order give equal bytes. The pieces of `data` are views of the tensors, not copies.
 */
export function encodeSafetensors(
  tensors: Iterable<NamedTensor>,
  metadata: ReadonlyMap<string, string>,
): { header: Uint8Array; data: Uint8Array[] } {
  refuseBigEndian();
  // Joined by hand: an object would put names that look like numbers first.
  const members: string[] = [];
  const names = new Set([METADATA_KEY]);
  const data: Uint8Array[] = [];
  if (metadata.size > 0) {
    const pairs = [...metadata].map(([key, value]) => {
      if (nameProblem(key) !== undefined || hasHalfCharacter(value)) {
        throw new Error(`The metadata ${json(key)} is not Unicode text.`);
      }
      return `${json(key)}:${json(value)}`;
    });
    members.push(`${json(METADATA_KEY)}:{${pairs.join()}}`);
  }
  let end = 0;
  for (const tensor of tensors) {
    const { name, shape } = tensor;
    const { buffer, byteOffset, byteLength, length } = tensor.data;
    const problem = names.has(name) ? "is there twice, or is reserved" : nameProblem(name);
    if (problem !== undefined) throw new Error(`The tensor name ${json(name)} ${problem}.`);
    if (elementCount(shape) !== length) {
      throw new Error(`The tensor ${name} has shape [${shape}], but ${length} elements.`);
    }
    names.add(name);
    const start = end;
    end += byteLength;
    members.push(`${json(name)}:${json({ dtype: "F32", shape, data_offsets: [start, end] })}`);
    data.push(new Uint8Array(buffer, byteOffset, byteLength));
  }
  const written = `{${members.join()}}`;
  // What could not be read is not written either.
  scanJson(written, HEADER_BOUNDS, "the header");
  const text = new TextEncoder().encode(written);
  // Padded so that the data begins at a multiple of eight.
  const length = Math.ceil(text.length / 8) * 8;
  if (length > MAX_HEADER_BYTES) throw new Error(`A header of ${length} bytes is too long.`);
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, LENGTH_BYTES);
  return { header, data };
}

/**
 * Where the data begins in a file of `fileSize` bytes, which is how many bytes {@link decodeHeader} needs.
 *
 * @param start the first eight bytes of the file, or more
 * @throws CharnnError `BAD_CHECKPOINT`
 */
export function headerSize(start: Uint8Array, fileSize: number): number {
  if (start.length < LENGTH_BYTES) {
    throw bad(`it ends after ${count(start.length)} bytes, before its header`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    const isPossible = length <= fileSize - LENGTH_BYTES;
    throw bad(
      isPossible
        ? `its header has ${count(length)} bytes, and charnn reads at most ${count(MAX_HEADER_BYTES)}`
        : "it is not a safetensors file",
    );
  }
  const size = LENGTH_BYTES + Number(length);
  if (size > fileSize) {
    throw bad(`it ends after ${count(fileSize)} bytes, and its header has ${count(size)}`);
  }
  return size;
}

/**
 * Reads the header alone and checks it against the size of the whole file.
 *
 * @param start the file's first {@link headerSize} bytes, or more
 * @param fileSize bytes
 * @param types that its tensors may have; F32 alone when left out
 * @throws CharnnError `BAD_CHECKPOINT`
 */
export function decodeHeader(
  start: Uint8Array,
  fileSize: number,
  types: ElementTypes = OWN_TYPES,
): SafetensorsHeader {
  const dataStart = headerSize(start, Math.min(start.length, fileSize));
  const text = decodeText(start.subarray(LENGTH_BYTES, dataStart));
  const membersWritten = scanJson(text, HEADER_BOUNDS, "its header", checkPlain);
  let membersLeft = 0;
  const metadata = new Map<string, string>();
  const entries: [name: string, entry: TensorEntry][] = [];
  for (const [name, value] of Object.entries(parse(text))) {
    membersLeft += 1 + Object.keys(value).length;
    if (name === METADATA_KEY) {
      for (const [key, entry] of Object.entries(value)) metadata.set(key, decodeValue(key, entry));
    } else {
      entries.push([name, decodeEntry(name, value, types)]);
    }
  }
  // Of equal keys JSON.parse keeps the last without a word, and then fewer are left than were written.
  if (membersLeft !== membersWritten) throw bad("its header has a key twice");
  return { metadata, tensors: inDataOrder(entries, dataStart, fileSize), dataStart };
}

function decodeText(bytes: Uint8Array): string {
  try {
    // A byte order mark is kept, to be refused.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw bad("its header is not UTF-8", cause);
  }
}

/**
 * Refuses what no valid header has outside its strings, before JSON.parse takes `1e3` for a whole number.
 */
function checkPlain(character: number): void {
  if (character >= 0x30 && character <= 0x39) return;
  if (!PUNCTUATION.has(character)) {
    const what = shown(String.fromCharCode(character));
    throw bad(`its header has ${what} where only names and whole numbers belong`);
  }
}

function parse(text: string): Readonly<Record<string, object>> {
  if (!/^\{.*\} *$/s.test(text)) {
    throw bad("its header is not a JSON object with nothing but spaces after it");
  }
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw bad("its header is not JSON", cause);
  }
  for (const [name, value] of Object.entries(header)) {
    const problem = nameProblem(name);
    if (problem !== undefined) throw bad(`its tensor name ${shown(name)} ${problem}`);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw bad(`its header says of ${shown(name)} something that is not an object`);
    }
  }
  return header as Record<string, object>;
}

function decodeValue(key: string, value: unknown): string {
  if (nameProblem(key) !== undefined || typeof value !== "string" || hasHalfCharacter(value)) {
    throw bad(`its metadata ${shown(key)} is not a text`);
  }
  return value;
}

function decodeEntry(name: string, value: object, types: ElementTypes): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = value as Readonly<Record<string, unknown>>;
  if (Object.keys(value).length !== 3 || !isCounts(shape) || !isCounts(offsets)) {
    throw bad(`its tensor ${shown(name)} is not described by dtype, shape and data_offsets`);
  }
  const elementBytes = typeof dtype === "string" ? types.get(dtype) : undefined;
  if (typeof dtype !== "string" || elementBytes === undefined) {
    const read = [...types.keys()].join(", ");
    throw bad(
      `its tensor ${shown(name)} has elements of type ${shown(String(dtype))}, ` +
        `and only ${read} ${types.size === 1 ? "is" : "are"} read`,
    );
  }
  const [start, end] = offsets;
  if (offsets.length !== 2 || start > end) {
    throw bad(`its tensor ${shown(name)} does not end after its beginning`);
  }
  const size = elementCount(shape) * elementBytes;
  if (!Number.isSafeInteger(size) || size !== end - start) {
    throw bad(
      `its tensor ${shown(name)} has ${count(end - start)} bytes, ` +
        `which is not what ${dtype} [${shape.join(", ")}] needs`,
    );
  }
  return { type: dtype, shape, start, end };
}

/** @throws CharnnError where the tensors do not fill the data from its beginning to its end. */
function inDataOrder(
  entries: [name: string, entry: TensorEntry][],
  dataStart: number,
  fileSize: number,
): Map<string, TensorEntry> {
  entries.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let filled = 0;
  for (const [name, { start, end }] of entries) {
    if (start > filled) {
      throw bad(`its data has a hole of ${count(start - filled)} bytes before ${shown(name)}`);
    }
    if (start < filled) throw bad(`its tensor ${shown(name)} overlaps the one before`);
    filled = end;
  }
  const expected = dataStart + filled;
  if (fileSize < expected) {
    throw bad(`it ends after ${count(fileSize)} of ${count(expected)} bytes`);
  }
  if (fileSize > expected) {
    throw bad(`it goes on for ${count(fileSize - expected)} bytes after its last tensor`);
  }
  return new Map(entries);
}

/** The product of a shape; not a safe integer where it is too large to be exact. */
function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => {
    // Once inexact, always inexact: a zero further on must not hide it.
    return Number.isSafeInteger(product) ? product * size : Number.NaN;
  }, 1);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(Number.isSafeInteger);
}

function nameProblem(name: string): string | undefined {
  if (name.includes("\0")) return "has a NUL character";
  return hasHalfCharacter(name) ? "is not Unicode text" : undefined;
}

/** Whether a text has half of a surrogate pair, for which there is no UTF-8. */
function hasHalfCharacter(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** @throws CharnnError on a machine that reads numbers the other way round */
export function refuseBigEndian(): void {
  if (endianness() === "BE") throw bad("it is little-endian, and this machine is big-endian");
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/** A text from the file, short enough for a message. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function count(value: number | bigint): string {
  return value.toLocaleString("en");
}

function bad(message: string, cause?: unknown): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message, undefined, { cause });
}
