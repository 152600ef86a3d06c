/** What rank 0, which decides everything, tells the others to do with it. */
import type { BenchmarkCommand } from "../benchmark/training-speed.js";
import type { RunConfig } from "../config/run.js";
import type { Corpus } from "../data/corpus.js";
import { createTokens, type Tokens, Vocabulary } from "../data/vocabulary.js";
import type { TrialCommand } from "../planning/step-trial.js";
import type { JoinCommand } from "../ranks/join.js";
import { broadcastMessage } from "../ranks/messages.js";
import type { Ranks } from "../ranks/ranks.js";
import type { SharedRun } from "./shared-run.js";

/** Each command is followed by the transfers that its function makes in all ranks. */
export type Command =
  /** `agreeToTrain` */
  | JoinCommand
  | TrialCommand
  | BenchmarkCommand
  /** {@link shareCorpus} */
  | { readonly kind: "open"; readonly config: RunConfig; readonly text: SharedText }
  /** `shareNumbers` */
  | { readonly kind: "load" }
  /** `takeStep` */
  | {
      readonly kind: "step";
      readonly at: Pick<SharedRun["progress"], "step" | "epoch" | "batch">;
      readonly learningRate: number;
    }
  /** `evaluateTogether` */
  | {
      readonly kind: "evaluate";
      readonly most: number | undefined;
      readonly temperature: number | undefined;
    }
  /** `gatherStates` */
  | { readonly kind: "state" }
  | { readonly kind: "end" };

/** What the others need to know of a text before they get its tokens. */
interface SharedText {
  readonly vocabulary: ReturnType<Vocabulary["toJSON"]>;
  readonly documents: string | undefined;
  readonly trainLength: number;
  readonly validationLength: number;
}

/** Tells the other ranks what to do; nothing where there are none. */
export function announce(ranks: Ranks, command: Command): void {
  if (ranks.size > 1) broadcastMessage(ranks, 0, new TextEncoder().encode(JSON.stringify(command)));
}

/** What rank 0 wants next. */
export function nextCommand(ranks: Ranks): Command {
  return JSON.parse(new TextDecoder().decode(broadcastMessage(ranks, 0)));
}

type SharedCorpus = SharedRun["corpus"];

export function sharedText({ vocabulary, documents, train, validation }: SharedCorpus): SharedText {
  return {
    vocabulary: vocabulary.toJSON(),
    documents,
    trainLength: train.tokens.length,
    validationLength: validation.tokens.length,
  };
}

/** Gives all processes the text that rank 0 has. Each calls it at the same time. */
export function shareCorpus(ranks: Ranks, text: SharedText, corpus?: Corpus): SharedCorpus {
  const vocabulary = Vocabulary.fromJSON(text.vocabulary);
  const share = (length: number, own?: { readonly tokens: Tokens }) => {
    const tokens = own?.tokens ?? createTokens(vocabulary.size, length);
    const { buffer, byteOffset, byteLength } = tokens;
    ranks.broadcast(new Uint8Array(buffer, byteOffset, byteLength), 0);
    return { tokens };
  };
  return {
    vocabulary,
    documents: text.documents,
    train: share(text.trainLength, corpus?.train),
    validation: share(text.validationLength, corpus?.validation),
  };
}
