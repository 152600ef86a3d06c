import type { DecodeSession } from "../backends/backend.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { BackendSettings } from "../config/shared.js";
import { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import { counted } from "../text.js";
import { softmax } from "./likeliest.js";
import { openNetwork } from "./open-network.js";

/** What texts are written with: one model, or several. */
export interface Network {
  /** Opens a session that reads `sequences` side by side. */
  openDecodeSession(sequences: number): DecodeSession;
  dispose(): void;
}

/** A model of a mixture, with its share of each probability. */
interface Member {
  readonly network: Network;
  readonly vocabulary: Vocabulary;
  /** Above 0; the weights of all add up to 1. */
  readonly weight: number;
}

/**
 * Several models that predict together: the probability of a character is the weighted mean of theirs, over all
 * characters that any of them knows. One that a model does not know has the probability 0 there, and is not read
 * by it, unless it has an unknown character.
 */
class Mixture implements Network {
  readonly #members: readonly Member[];
  readonly #vocabulary: Vocabulary;

  constructor(members: readonly Member[], vocabulary: Vocabulary) {
    this.#members = members;
    this.#vocabulary = vocabulary;
  }

  openDecodeSession(sequences: number): DecodeSession {
    return new MixtureSession(this.#members, this.#vocabulary, sequences);
  }

  dispose(): void {
    for (const { network } of this.#members) network.dispose();
  }
}

/**
 * What one text of several models is read and written by: the first one's settings, and all characters that any of
 * them knows; an unknown one only where each has one.
 *
 * @throws CharnnError `INVALID_SETTING` for models that can't write one text
 */
export function readerOf(checkpoints: readonly Checkpoint[]): Checkpoint {
  const [first, ...others] = checkpoints;
  if (others.length === 0) return first;
  for (const name of ["documents", "normalize", "lowercase"] as const) {
    const other = others.find(({ config }) => config.text[name] !== first.config.text[name]);
    if (!other) continue;
    throw new CharnnError(
      "INVALID_SETTING",
      `Models that were trained with and without --${name}, or with different ones, can't write one text.`,
      `Take models with the same --${name}.`,
    );
  }
  const vocabularies = checkpoints.map(({ vocabulary }) => vocabulary);
  const codePoints = vocabularies.flatMap((vocabulary) => [...vocabulary.codePoints()]);
  const unknown = vocabularies.every((vocabulary) => vocabulary.unknown !== undefined);
  return { ...first, vocabulary: Vocabulary.fromCodePoints(codePoints, { unknown }) };
}

/**
 * Opens one model, or a mixture of several.
 *
 * @param shares by model, how much it counts; equally much where there are none
 * @throws CharnnError as `openNetwork` does, `INVALID_SETTING` where shares are too few or too many
 */
export async function openNetworks(
  checkpoints: readonly Checkpoint[],
  shares: readonly number[] | undefined,
  settings: BackendSettings,
  purpose: { readonly streams: number },
  onWarning?: (message: string) => void,
): Promise<Network> {
  if (shares && shares.length !== checkpoints.length) {
    throw new CharnnError(
      "INVALID_SETTING",
      `mix has ${counted(shares.length, "share")}, and there ${checkpoints.length === 1 ? "is" : "are"} ${counted(checkpoints.length, "model")}.`,
      "Give one for each model, such as 0.7,0.3 for two.",
      { setting: "mix" },
    );
  }
  if (checkpoints.length === 1) return openNetwork(checkpoints[0], settings, purpose, onWarning);
  const total = (shares ?? checkpoints.map(() => 1)).reduce((sum, share) => sum + share, 0);
  const members: Member[] = [];
  try {
    for (const [index, checkpoint] of checkpoints.entries()) {
      const warn = index === 0 ? onWarning : undefined;
      const network = await openNetwork(checkpoint, settings, purpose, warn);
      const weight = (shares?.[index] ?? 1) / total;
      members.push({ network, vocabulary: checkpoint.vocabulary, weight });
    }
  } catch (error) {
    for (const { network } of members) network.dispose();
    throw error;
  }
  return new Mixture(members, readerOf(checkpoints).vocabulary);
}

/** One model in a session of a mixture. */
interface Reader {
  readonly session: DecodeSession;
  readonly weight: number;
  /** By token of the mixture, the model's own; -1 where it has none. */
  readonly tokenOf: Int32Array;
  readonly size: number;
  /** By sequence, what it predicted last: a character that it does not read changes nothing. */
  readonly probabilities: Float64Array[];
}

class MixtureSession implements DecodeSession {
  readonly #readers: readonly Reader[];
  readonly #size: number;
  readonly #logits: Float32Array;

  constructor(members: readonly Member[], vocabulary: Vocabulary, sequences: number) {
    this.#size = vocabulary.size;
    this.#logits = new Float32Array(sequences * vocabulary.size);
    this.#readers = members.map(({ network, vocabulary: own, weight }) => ({
      session: network.openDecodeSession(sequences),
      weight,
      tokenOf: tokensOf(vocabulary, own),
      size: own.size,
      probabilities: Array.from({ length: sequences }, () =>
        new Float64Array(own.size).fill(1 / own.size),
      ),
    }));
  }

  step(tokens: Int32Array): Float32Array {
    for (const reader of this.#readers) read(reader, tokens);
    const logits = this.#logits.subarray(0, tokens.length * this.#size);
    for (let sequence = 0; sequence < tokens.length; sequence++) {
      for (let token = 0; token < this.#size; token++) {
        let probability = 0;
        for (const { weight, tokenOf, probabilities } of this.#readers) {
          const own = tokenOf[token];
          if (own >= 0) probability += weight * probabilities[sequence][own];
        }
        logits[sequence * this.#size + token] = Math.log(probability);
      }
    }
    return logits;
  }

  readState(sequence: number): Float32Array {
    const parts = this.#readers.flatMap(({ session, probabilities }) => [
      session.readState(sequence),
      Float32Array.from(probabilities[sequence]),
    ]);
    const state = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let start = 0;
    for (const part of parts) {
      state.set(part, start);
      start += part.length;
    }
    return state;
  }

  writeState(sequence: number, state: Float32Array): void {
    let start = 0;
    for (const { session, probabilities, size } of this.#readers) {
      const { length } = session.readState(sequence);
      session.writeState(sequence, state.subarray(start, start + length));
      probabilities[sequence] = Float64Array.from(
        state.subarray(start + length, start + length + size),
      );
      start += length + size;
    }
  }

  dispose(): void {
    for (const { session } of this.#readers) session.dispose();
  }
}

/** Has a model read what it knows of the tokens. */
function read({ session, tokenOf, size, probabilities }: Reader, tokens: Int32Array): void {
  const own = tokens.map((token) => tokenOf[token]);
  const unread = [...own.keys()].filter((sequence) => own[sequence] < 0);
  const states = unread.map((sequence) => session.readState(sequence));
  const logits = session.step(own.map((token) => Math.max(token, 0)));
  for (const [index, sequence] of unread.entries()) session.writeState(sequence, states[index]);
  for (let sequence = 0; sequence < tokens.length; sequence++) {
    if (own[sequence] < 0) continue;
    probabilities[sequence] = softmax(logits.subarray(sequence * size, (sequence + 1) * size));
  }
}

function tokensOf(vocabulary: Vocabulary, own: Vocabulary): Int32Array {
  const tokens = new Int32Array(vocabulary.size).fill(own.unknown ?? -1);
  for (const codePoint of vocabulary.codePoints()) {
    const token = own.tokenOf(codePoint);
    if (token !== undefined) tokens[vocabulary.indexOf(codePoint) as number] = token;
  }
  return tokens;
}
