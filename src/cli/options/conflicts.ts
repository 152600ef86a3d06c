import { CharnnError } from "../../errors.js";
import type { Token } from "./spelling.js";

/** Options that do nothing beside another one, or without it. */
interface Conflict {
  readonly command: string;
  readonly options: readonly string[];
  readonly beside?: string;
  /** Options, or options with a value. */
  readonly without?: readonly string[];
  readonly hint: string;
}

const FILES_OF_SAMPLE = ["--seed-file", "--training-text", "--words", "--new"];

const CONFLICTS: readonly Conflict[] = [
  {
    command: "train",
    options: ["--validation"],
    beside: "--validation-file",
    hint: "Both say what to validate on: leave one of them out.",
  },
  {
    command: "train",
    options: ["--stride"],
    without: ["--batching windows", "--resume"],
    hint: "The text is read in lanes, without a stride; add --batching windows.",
  },
  ...["--batching windows", "--documents"].map((beside) => ({
    command: "train",
    options: ["--section-windows"],
    beside,
    hint: "Only lanes are read in sections: leave one of them out.",
  })),
  {
    command: "train",
    options: ["--ngram-rows", "--ngram-dropout"],
    beside: "--ngram-order 1",
    hint: "The model has no embeddings of n-grams: leave one of them out.",
  },
  {
    command: "bench",
    options: ["--ngram-rows"],
    without: ["--ngram-order"],
    hint: "The model has no embeddings of n-grams: add --ngram-order N.",
  },
  ...["--resume", "--cross-validate"].map((beside) => ({
    command: "train",
    options: ["--print-config"],
    beside,
    hint: "It prints the settings of one new run: leave one of them out.",
  })),
  {
    command: "plot",
    options: ["--width", "--height"],
    beside: "--json",
    hint: "There is no picture: leave one of them out.",
  },
  {
    command: "sample",
    options: ["--encoding"],
    without: FILES_OF_SAMPLE,
    hint: "It is the encoding of these files.",
  },
  {
    command: "sample",
    options: ["--invalid"],
    without: FILES_OF_SAMPLE,
    hint: "It applies only to these files.",
  },
  {
    command: "sample",
    options: ["--all"],
    without: ["--best-of"],
    hint: "Add --best-of N.",
  },
  ...["eval", "score"].map((command) => ({
    command,
    options: ["--mix"],
    without: ["--also"],
    hint: "Name the other runs of the mixture: --also RUN...",
  })),
  {
    command: "eval",
    options: ["--dynamic"],
    beside: "--mix",
    hint: "It adapts the weights of one model: leave one of them out.",
  },
  {
    command: "score",
    options: ["--labels"],
    beside: "--mix",
    hint: "It is for finding out which of several runs fits: leave one of them out.",
  },
  {
    command: "sample",
    options: ["--separator"],
    beside: "--json",
    hint: "Each text is an object on a line of its own: leave one of them out.",
  },
  {
    command: "sample",
    options: ["--separator"],
    without: ["--count"],
    hint: "It stands between several texts: add --count N.",
  },
  {
    command: "report",
    options: ["--encoding"],
    without: ["--text"],
    hint: "It is the encoding of the text given with --text.",
  },
  {
    command: "report",
    options: ["--invalid", "--unknown"],
    without: ["--text"],
    hint: "It applies only to the text given with --text.",
  },
];

/**
 * Refuses an option that would be ignored.
 *
 * @throws CharnnError `INVALID_SETTING`
 */
export function refuseIgnored(command: string, tokens: readonly Token[]): void {
  const given = new Set(
    tokens.flatMap(({ given }) =>
      given ? [given.option.long, `${given.option.long} ${given.value?.toLowerCase()}`] : [],
    ),
  );
  for (const { options, beside, without, hint, ...conflict } of CONFLICTS) {
    const option = options.find((name) => given.has(name));
    if (conflict.command !== command || option === undefined) continue;
    if (beside !== undefined && given.has(beside)) {
      throw new CharnnError("INVALID_SETTING", `${option} does nothing beside ${beside}.`, hint);
    }
    if (without && !without.some((other) => given.has(other))) {
      throw new CharnnError(
        "INVALID_SETTING",
        `${option} does nothing without ${without.join(" or ")}.`,
        hint,
      );
    }
  }
}
