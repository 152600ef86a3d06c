/** The worker of an exported page: all that the model does, beside the page, which never stops for it. */
import { bytesOfBase64 } from "../../portable/base64.js";
import type { PackedModel } from "../../portable/packed-model.js";
import { type Piece, piecesOf } from "../../portable/pieces.js";
import { PortableModel } from "../../portable/portable-model.js";
import type { TextReader } from "../../portable/text-reader.js";
import { likeliest, softmax } from "../../sampling/likeliest.js";
import {
  type Answer,
  CONTINUED,
  type Dependence,
  type Request,
  UNKNOWN,
  UNPREDICTED,
} from "./script/messages.js";

/** Characters whose probabilities are shown. */
const EXPECTED = 8;
/** Earlier characters that are left out in turn, to see what depends on them. */
const LEFT_OUT = 32;
/** Milliseconds between two answers with parts of the same. */
const UNTIL_NEXT_PART = 40;

/** What a worker has of its own. */
interface WorkerScope {
  onmessage: (message: { readonly data: Request }) => void;
  postMessage(answer: Answer): void;
}

/** A text, as it was read last. */
interface ReadText {
  readonly revision: number;
  readonly text: string;
  readonly pieces: readonly Piece[];
  readonly tokens: Uint16Array;
}

const scope = globalThis as unknown as WorkerScope;
let model: PortableModel;
let reader: TextReader;
let normalization: PackedModel["text"];
/** How lines end in the texts of the model; a text box ends them by "\n" alone. */
let lineEnd: "\n" | "\r\n" | "\r" = "\n";
let current: ReadText = { revision: 0, text: "", pieces: [], tokens: new Uint16Array(0) };

async function open({ model: json, weights, kernels }: Request & { kind: "open" }): Promise<void> {
  const packed = JSON.parse(json) as PackedModel;
  normalization = packed.text;
  model = await PortableModel.open(packed, await unpacked(weights), await unpacked(kernels));
  reader = model.reader();
  lineEnd = lineEndOf(model);
  scope.postMessage({ kind: "opened" });
}

async function read(
  { text, revision }: Request & { kind: "read" },
  signal: AbortSignal,
): Promise<void> {
  const pieces = piecesOfBox(text);
  const tokens = Uint16Array.from(pieces.flatMap((piece) => piece.tokens));
  current = { revision, text, pieces, tokens };
  const isDue = partly();
  const tell = (isAll: boolean) =>
    scope.postMessage({ kind: "bits", bits: bitsOfUnits(current, reader.bits), isAll, revision });
  await reader.read(current.tokens, { signal, onTurn: () => isDue() && tell(false) });
  tell(true);
}

function lineEndOf({ vocabulary }: PortableModel): typeof lineEnd {
  const [hasReturn, hasNewline] = ["\r", "\n"].map(
    (it) => vocabulary.indexOf(it.charCodeAt(0)) !== undefined,
  );
  if (!hasReturn) return "\n";
  return hasNewline ? "\r\n" : "\r";
}

/** What the model reads for each part of what stands in the text box. */
function piecesOfBox(text: string): Piece[] {
  const { vocabulary } = model;
  const end = Array.from(lineEnd, (it) => vocabulary.tokenOf(it.charCodeAt(0)));
  const endTokens = end.filter((token) => token !== undefined);
  let unit = 0;
  return piecesOf(text, { ...normalization, vocabulary }).map(({ length, tokens }) => {
    const isEnd = text[unit] === "\n";
    unit += length;
    return { length, tokens: isEnd ? endTokens : tokens };
  });
}

/** What a text box shows for a character that the model wrote. */
function inBox(character: string): string {
  if (character !== "\r") return character;
  return lineEnd === "\r" ? "\n" : "";
}

/** The surprisal of each unit of UTF-16. */
function bitsOfUnits(
  { text, pieces }: ReadText,
  bitsOfTokens: readonly (number | undefined)[],
): Float32Array {
  const bits = new Float32Array(text.length).fill(CONTINUED);
  let [unit, token] = [0, 0];
  for (const { length, tokens } of pieces) {
    let sum = tokens.length > 0 ? 0 : UNKNOWN;
    for (let k = 0; k < tokens.length; k++) sum += bitsOfTokens[token++] ?? UNPREDICTED;
    bits[unit] = sum;
    unit += length;
  }
  return bits;
}

async function look(place: number, signal: AbortSignal): Promise<void> {
  const { pieces, tokens, revision } = current;
  let [unit, count, known] = [0, 0, 0];
  for (; count < pieces.length && unit + pieces[count].length <= place; count++) {
    unit += pieces[count].length;
    known += pieces[count].tokens.length;
  }
  const logits = await reader.logitsAfter(known, signal);
  const expected = logits ? likeliest(softmax(logits), model.vocabulary, EXPECTED) : [];
  scope.postMessage({ kind: "next", place, expected, revision });
  const options = { top: 0, depends: LEFT_OUT, signal };
  const { depends } = await model.predictAfter(tokens.subarray(0, known), options, reader);
  const spans = spansOfTokens(pieces.slice(0, count));
  scope.postMessage({
    kind: "depends",
    revision,
    place,
    depends: depends.map(({ distance, bits }) => ({ ...spans[known - distance], bits })),
  });
}

/** Where the piece of each token is. */
function spansOfTokens(pieces: readonly Piece[]): Omit<Dependence, "bits">[] {
  let start = 0;
  return pieces.flatMap(({ length, tokens }) => {
    const span = { start, length };
    start += length;
    return tokens.map(() => span);
  });
}

async function write(
  { text: prompt, settings }: Request & { kind: "write" },
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  const isDue = partly();
  let [text, characters, surprisal] = ["", 0, 0];
  let bits: number[] = [];
  isShown = true;
  const tell = () => {
    isShown = false;
    scope.postMessage({ kind: "written", text, bits: Float32Array.from(bits) });
    text = "";
    bits = [];
  };
  try {
    const all = { ...settings, unknown: "skip", signal } as const;
    for await (const character of model.generate(prompt.replaceAll("\n", lineEnd), all, reader)) {
      const token = model.vocabulary.indexOf(character.codePointAt(0) as number) as number;
      surprisal += reader.surprisal(token) ?? UNPREDICTED;
      characters++;
      const shown = inBox(character);
      if (shown === "") continue;
      text += shown;
      bits.push(surprisal);
      if (shown.length > 1) bits.push(CONTINUED);
      surprisal = 0;
      if (isShown && isDue()) tell();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  tell();
  const why = signal.aborted ? "stopped" : characters < settings.length ? "document" : "length";
  const seconds = (performance.now() - start) / 1_000;
  scope.postMessage({ kind: "ended", why, characters, seconds });
}

/** Whether another part should be told. */
function partly(): () => boolean {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < UNTIL_NEXT_PART) return false;
    last = now;
    return true;
  };
}

/** The bytes that were compressed by gzip, in base64. */
async function unpacked(base64: string): Promise<Uint8Array> {
  const stream = new Blob([bytesOfBase64(base64)])
    .stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function work(request: Request, signal: AbortSignal): Promise<void> {
  if (request.kind === "open") await open(request);
  else if (request.kind === "read") await read(request, signal);
  else if (request.kind === "look") await look(request.place, signal);
  else if (request.kind === "write") await write(request, signal);
}

/** Whether the page has shown what was written last. */
let isShown = true;
let controller = new AbortController();
let last = Promise.resolve();
scope.onmessage = ({ data: request }) => {
  if (request.kind === "shown") {
    isShown = true;
    return;
  }
  if (request.kind !== "open") controller.abort();
  controller = new AbortController();
  const { signal } = controller;
  // One after another: all of them use the same reader.
  last = last
    // A writing says in any case that it has ended.
    .then(() => (signal.aborted && request.kind !== "write" ? undefined : work(request, signal)))
    .catch((error) => {
      if (signal.aborted) return;
      scope.postMessage({ kind: "failed", message: String(error?.message ?? error) });
    });
};
