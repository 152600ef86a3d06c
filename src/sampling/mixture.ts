import type { DecodeSession } from "../backends/backend.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { membersOf } from "../checkpoint/members.js";
import type { BackendSettings } from "../config/shared.js";
import { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import type { CharRnn } from "../model/char-rnn.js";
import { counted } from "../text.js";
import { type MemberSession, MixtureSession } from "./mixture-session.js";
import { openNetwork, type Purpose } from "./open-network.js";

/** What texts are written with: one model, or several. */
export interface Network {
  /** Opens a session that reads `sequences` side by side. */
  openDecodeSession(sequences: number): DecodeSession;
  /** Numbers of a sequence's state. */
  readonly stateSize: number;
  readonly vocabularySize: number;
  dispose(): void;
}

/** A model of a mixture. */
interface Member extends Omit<MemberSession, "session"> {
  readonly network: Network;
}

/**
 * Several models that predict together: the probability of a character is the weighted mean of theirs, over all
 * characters that any of them knows.
 */
export class Mixture implements Network {
  readonly #members: readonly Member[];
  readonly #vocabulary: Vocabulary;

  constructor(members: readonly Member[], vocabulary: Vocabulary) {
    this.#members = members;
    this.#vocabulary = vocabulary;
  }

  openDecodeSession(sequences: number): MixtureSession {
    const members = this.#members.map(({ network, ...member }) => {
      return { ...member, session: network.openDecodeSession(sequences) };
    });
    return new MixtureSession(members, this.#vocabulary, sequences);
  }

  get stateSize(): number {
    return this.#members.reduce(
      (sum, { network, vocabulary }) => sum + network.stateSize + vocabulary.size,
      0,
    );
  }

  get vocabularySize(): number {
    return this.#vocabulary.size;
  }

  dispose(): void {
    for (const { network } of this.#members) network.dispose();
  }
}

/**
 * How much each of several models counts in their mixture.
 *
 * @param shares one for each, above 0; all are equal when left out
 * @returns the same in fractions of 1
 * @throws CharnnError `INVALID_SETTING` for too few or too many
 */
export function weightsOf(
  models: number,
  shares: number | readonly number[] | undefined,
): readonly number[] {
  const given = shares === undefined ? Array<number>(models).fill(1) : [shares].flat();
  if (given.length !== models) {
    throw new CharnnError(
      "INVALID_SETTING",
      `mix has ${counted(given.length, "share")}, and there ${models === 1 ? "is" : "are"} ${counted(models, "model")}.`,
      "Give one for each model, such as 0.7,0.3 for two.",
      { setting: "mix" },
    );
  }
  // Of the largest first, so that a sum of very large ones is still a number.
  const largest = given.reduce((most, share) => Math.max(most, share), 0);
  const relative = given.map((share) => share / largest);
  const total = relative.reduce((sum, share) => sum + share, 0);
  return relative.map((share) => share / total);
}

/**
 * Refuses models that can't predict one text together.
 *
 * @throws CharnnError `INVALID_SETTING`
 */
export function refuseUnlike([first, ...others]: readonly Checkpoint[]): void {
  for (const name of ["documents", "normalize", "lowercase"] as const) {
    const other = others.find(({ config }) => config.text[name] !== first.config.text[name]);
    if (!other) continue;
    throw new CharnnError(
      "INVALID_SETTING",
      `Models that were trained with and without \`${name}\`, or with different ones, can't predict together.`,
      `Take models with the same \`${name}\`.`,
    );
  }
}

/**
 * What one text of several models is read and written by: the first one's settings, and all characters that any of
 * them knows; an unknown one only where each has one.
 *
 * @throws CharnnError `INVALID_SETTING` for models that can't predict together
 */
export function readerOf(checkpoints: readonly Checkpoint[]): Checkpoint {
  const [first, ...others] = checkpoints;
  if (others.length === 0) return first;
  refuseUnlike(checkpoints);
  const vocabularies = checkpoints.map(({ vocabulary }) => vocabulary);
  const codePoints = vocabularies.flatMap((vocabulary) => [...vocabulary.codePoints()]);
  const unknown = vocabularies.every((vocabulary) => vocabulary.unknown !== undefined);
  return { ...first, vocabulary: Vocabulary.fromCodePoints(codePoints, { unknown }) };
}

/** How models read line ends: as newlines where all of them do. */
export function lineEndsOf(checkpoints: readonly Checkpoint[]): "lf" | "keep" {
  return checkpoints.every(({ config }) => config.text.lineEnds === "lf") ? "lf" : "keep";
}

/**
 * Opens one model, or a mixture of several.
 *
 * @param shares as {@link weightsOf} takes them
 * @throws CharnnError as `openNetwork` and {@link weightsOf} do
 */
export async function openNetworks(
  checkpoints: readonly Checkpoint[],
  shares: number | readonly number[] | undefined,
  settings: BackendSettings,
  purpose: Purpose,
  onWarning?: (message: string) => void,
): Promise<Network> {
  const parts = partsOf(checkpoints, shares);
  return parts.length === 1
    ? openNetwork(parts[0].checkpoint, settings, purpose, onWarning)
    : openMixture(parts, settings, purpose, onWarning);
}

/** One model of a mixture, and its share of each probability. */
export interface Part {
  readonly checkpoint: Checkpoint;
  readonly weight: number;
}

/**
 * The models of a mixture: the members of each checkpoint share what it has equally.
 *
 * @param shares as {@link weightsOf} takes them
 * @throws CharnnError as {@link weightsOf} does
 */
export function partsOf(
  checkpoints: readonly Checkpoint[],
  shares: number | readonly number[] | undefined,
): Part[] {
  const weights = weightsOf(checkpoints.length, shares);
  return checkpoints.flatMap((checkpoint, index) => {
    const members = membersOf(checkpoint);
    return members.map((member) => ({
      checkpoint: member,
      weight: weights[index] / members.length,
    }));
  });
}

/** A model of a mixture that is open. */
export interface OpenPart extends Member {
  readonly network: CharRnn;
}

/**
 * Opens the models of a mixture.
 *
 * @param parts as {@link partsOf} gives them
 * @throws CharnnError as `openNetwork` does
 */
export async function openParts(
  parts: readonly Part[],
  settings: BackendSettings,
  purpose: Purpose,
  onWarning?: (message: string) => void,
): Promise<OpenPart[]> {
  const open: OpenPart[] = [];
  try {
    for (const [index, { checkpoint, weight }] of parts.entries()) {
      // All would warn of the same backend.
      const warn = index === 0 ? onWarning : undefined;
      const network = await openNetwork(checkpoint, settings, purpose, warn);
      open.push({ network, vocabulary: checkpoint.vocabulary, weight });
    }
  } catch (error) {
    for (const { network } of open) network.dispose();
    throw error;
  }
  return open;
}

/**
 * Opens several models as one.
 *
 * @param parts as {@link partsOf} gives them
 * @throws CharnnError as `openNetwork` does
 */
export async function openMixture(
  parts: readonly Part[],
  settings: BackendSettings,
  purpose: Purpose,
  onWarning?: (message: string) => void,
): Promise<Mixture> {
  const open = await openParts(parts, settings, purpose, onWarning);
  return new Mixture(open, readerOf(parts.map(({ checkpoint }) => checkpoint)).vocabulary);
}
