import { type Checkpoint, isWeight } from "../checkpoint/checkpoint.js";
import { checksumInParts } from "../checkpoint/checksum.js";
import { CharnnError, shortened } from "../errors.js";
import type { Network } from "../sampling/mixture.js";
import type { Parts } from "../turns.js";
import type { WritingState } from "./writing.js";

/** Options of `sample` that a single text of an open model does not have. */
const LEFT_OUT = [
  "seed",
  "count",
  "bestOf",
  "include",
  "unique",
  "new",
  "backend",
  "threads",
] as const;
export type LeftOut = (typeof LEFT_OUT)[number];

/** @throws CharnnError `INVALID_SETTING` for a state that is not of this model, or damaged */
export function refuseOther(state: WritingState, identity: string, network: Network): void {
  if (state.model === identity && isWhole(state, network)) return;
  throw new CharnnError(
    "INVALID_SETTING",
    "state is not that of a text of this model.",
    "It comes with a text that write returns, and fits the checkpoint that wrote it.",
    { setting: "state" },
  );
}

/** Whether nothing is missing or odd about a state. */
function isWhole(
  { numbers, unread, logits }: WritingState,
  { stateSize, vocabularySize }: Network,
): boolean {
  const isToken = (it: unknown) =>
    Number.isInteger(it) && Number(it) >= 0 && Number(it) < vocabularySize;
  return (
    numbers instanceof Float32Array &&
    numbers.length === stateSize &&
    logits instanceof Float32Array &&
    logits.length === vocabularySize &&
    Array.isArray(unread) &&
    unread.every(isToken)
  );
}

/** What tells a model's weights from all others. */
export function identityOf(checkpoint: Checkpoint): Parts<string> {
  const weights = [...checkpoint.tensors.values()].filter((it) => isWeight(it, checkpoint));
  return checksumInParts(
    weights.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

/** @throws CharnnError `INVALID_SETTING` for what only `sample` takes */
export function refuseLeftOut(given: object): void {
  const name = LEFT_OUT.find((it) => (given as Record<string, unknown>)[it] !== undefined);
  if (name === undefined) return;
  const instead = {
    seed: "Give the text to continue as prompt.",
    backend: "Give it to openModel.",
    threads: "Give it to openModel.",
  };
  throw new CharnnError(
    "INVALID_SETTING",
    `${name} is not a setting of write.`,
    (instead as Partial<Record<string, string>>)[name] ?? "What sample writes can have it.",
    { setting: name },
  );
}

/** @throws CharnnError `INVALID_SETTING` for what is no text */
export function checkText(setting: string, value: unknown): void {
  if (typeof value === "string") return;
  throw new CharnnError(
    "INVALID_SETTING",
    `${setting} must be a text, not ${shortened(JSON.stringify(value) ?? String(value))}.`,
    undefined,
    { setting },
  );
}
