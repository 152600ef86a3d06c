import type { Command } from "commander";
import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { EVALUATE, type EvaluateCommandSettings } from "../../config/evaluate.js";
import { listFew } from "../../data/characters.js";
import { leftOut, readAsOthers } from "../../data/unknown-characters.js";
import { CharnnError } from "../../errors.js";
import type { TextScore } from "../../evaluation/evaluate-texts.js";
import { bitsPerCharacter, counted, formatCount, percent } from "../../text.js";
import type { CommandContext } from "../context.js";
import { columns } from "../format/format.js";
import { printable } from "../format/printable.js";
import { addOptions } from "../options/add-options.js";
import { type MixtureMember, mixtureOf, openRuns } from "../several-runs.js";
import { createStatus, type Status } from "../terminal/status.js";

/** What can be typed beside the operands. */
type EvalOptions = Omit<EvaluateCommandSettings, "files">;

/** The score of a run, or of a mixture of runs, on a text. */
interface RunScore extends TextScore {
  readonly run: string;
  /** Of a mixture. */
  readonly members?: readonly MixtureMember[] | undefined;
}

/** What is scored: a run, or several that predict together. */
interface Scored {
  readonly name: string;
  readonly checkpoints: readonly Checkpoint[];
  readonly members?: readonly MixtureMember[];
}

export function evalCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("eval")
    .summary("Score a text")
    .description("Measure how well a model predicts a text.")
    .argument("<run>", "a run's name or folder, or a checkpoint file")
    .argument("<files...>", "files and folders of text; - is standard input");
  addOptions(command, EVALUATE, [
    "charnn eval night other.txt",
    "charnn eval night other.txt --dynamic",
    "charnn eval night texts/ --each --also day evening",
    "charnn eval night other.txt --also day --mix 0.7,0.3",
    "charnn eval night other.txt --fail-above 1.6",
    "charnn eval checkpoints/night - --json < other.txt",
  ]).action(async (run: string, files: string[], given: EvalOptions) => {
    const { also, mix, out, json, failAbove, ...options } = given;
    const { checked, settingsSchema } = await import("../../config/schema.js");
    checked(settingsSchema({ failAbove: { kind: EVALUATE.failAbove.kind } }), { failAbove });
    const { evaluateTexts } = await import("../../evaluation/evaluate-texts.js");
    const { Inputs } = await import("../../data/inputs.js");
    const { signal } = interruption;
    const weightsOnly = !options.dynamic;
    const runs = await openRuns([run, ...(also ?? [])], terminal, { out, signal, weightsOnly });
    const mixture = mix === undefined ? undefined : await mixtureOf(runs, mix);
    // Each run reads all of it.
    const inputs = runs.length > 1 ? new Inputs(process.stdin) : undefined;
    const status = createStatus(context);
    async function* scoresOf({ name, checkpoints, members }: Scored): AsyncGenerator<RunScore> {
      status.show(runs.length > 1 ? `Scoring the text with ${name}` : "Scoring the text");
      const settings = { ...options, out, files, mix: members && mix };
      const given = { stdin: process.stdin, inputs, onWarning: status.warn, signal };
      for await (const score of evaluateTexts(checkpoints, settings, given)) {
        warnOfUnknown(status, score, runs.length > 1 ? name : undefined);
        yield { run: name, members, ...score };
      }
    }
    const scores: RunScore[] = [];
    const add = async (score: RunScore) => {
      scores.push(score);
      if (!json) return;
      status.stop();
      await terminal.out(`${JSON.stringify(score)}\n`);
    };
    try {
      const checkpoints = runs.map(({ checkpoint }) => checkpoint);
      // First, since none of its runs can read what it can't, and shown last.
      const ofMixture: RunScore[] = [];
      if (mixture) {
        for await (const score of scoresOf({ ...mixture, checkpoints })) ofMixture.push(score);
      }
      for (const { name, checkpoint } of runs) {
        try {
          for await (const score of scoresOf({ name, checkpoints: [checkpoint] })) await add(score);
        } catch (error) {
          if (!mixture || !isAboutText(error)) throw error;
          status.warn(`${name} can't score the text by itself. ${error.message}`);
        }
      }
      for (const score of ofMixture) await add(score);
    } finally {
      status.stop();
    }
    if (!json) {
      const shown = scores.length === 1 ? table(scores[0]) : comparison(scores);
      for (const line of shown) await terminal.out(`${line}\n`);
    }
    const judged = mixture ? scores.filter(({ members }) => members) : scores;
    if (failAbove !== undefined) refuseAbove(failAbove, judged);
  });
}

/** Whether a model can't read a text: it may lack characters that another of a mixture knows. */
function isAboutText(error: unknown): error is CharnnError {
  return (
    error instanceof CharnnError &&
    (error.code === "UNKNOWN_CHARACTER" || error.code === "BAD_TEXT")
  );
}

/**
 * Ends the command with a failure where a loss is too high. With `--dynamic` too it is the plain loss that
 * counts.
 *
 * @throws CharnnError `LOSS_TOO_HIGH`
 */
function refuseAbove(limit: number, scores: readonly RunScore[]): void {
  // What is no number is not below the limit either.
  const failing = scores.filter(({ loss }) => !(loss <= limit));
  if (failing.length === 0) return;
  const losses = failing.map(({ run, text, loss }) => {
    return `${loss.toFixed(4)} nats/char of ${run} on ${text}`;
  });
  const what =
    losses.length === 1 ? "A loss is" : `${losses.length} of ${scores.length} losses are`;
  throw new CharnnError(
    "LOSS_TOO_HIGH",
    `${what} above --fail-above ${limit}: ${losses.join(", ")}.`,
  );
}

function warnOfUnknown({ warn }: Status, score: TextScore, run: string | undefined): void {
  const model = run === undefined ? "the model" : `the model of ${run}`;
  const { skipped, skippedCharacters, mapped, mappings, unknown, unknownCharacters } = score;
  if (skipped > 0) warn(leftOut(skipped, skippedCharacters, model));
  if (mapped > 0) warn(readAsOthers(mapped, mappings, model));
  if (unknown > 0) {
    const few = listFew(unknownCharacters);
    const what = counted(unknown, "character");
    warn(`${what} that ${model} does not know read as its unknown character: ${few}`);
  }
}

function table(score: RunScore): string[] {
  const both = score.dynamic ? [score, score.dynamic] : [score];
  const rows = [
    ...(score.dynamic ? [["", "plain", "dynamic"]] : []),
    ["loss", ...both.map(({ loss }) => `${loss.toFixed(4)} nats/char`)],
    ["bits per character", ...both.map((it) => it.bitsPerCharacter.toFixed(4))],
    ["perplexity", ...both.map(({ perplexity }) => perplexity.toFixed(3))],
    ["accuracy", ...both.map(({ accuracy }) => percent(accuracy))],
    ["top-5 accuracy", percent(score.topFiveAccuracy)],
    ["macro precision", percent(score.macroPrecision)],
    ["macro recall", percent(score.macroRecall)],
    ["macro F1", percent(score.macroF1)],
    ["characters", formatCount(score.characters)],
  ];
  return [
    ...columns(rows),
    ...section("Most confused", confusions(score)),
    ...section("Loss after a cold start", coldStart(score)),
    ...section("Compared with, in bits per character", baselines(score)),
  ];
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  return ["", title, ...columns(rows).map((line) => `  ${line}`)];
}

function confusions({ confused }: TextScore): string[][] {
  return confused.map(({ character, predicted, count: times, share }) => [
    `${shown(character)} taken for ${shown(predicted)}`,
    `${formatCount(times)} times`,
    `${percent(share)} of ${shown(character)}`,
  ]);
}

function coldStart({ coldStart: losses }: TextScore): string[][] {
  return losses.map(({ from, to, loss }) => [
    from === to ? `${from} character read` : `${from} to ${to}`,
    `${loss.toFixed(4)} nats/char`,
  ]);
}

/** The model and what it is compared with, the best first. */
function baselines({ bitsPerCharacter: bits, baselines: others }: TextScore): string[][] {
  if (!others) return [];
  const { counting, compressed } = others;
  const figures: [name: string, bits: number | undefined, otherwise: string][] = [
    ["this model", bits, ""],
    [
      counting ? `${counting.order}-gram baseline` : "n-gram baseline",
      counting && bitsPerCharacter(counting.loss),
      "skipped: the text is too long",
    ],
    ...Object.entries(compressed).map(([name, size]): (typeof figures)[number] => [
      `${name} -9`,
      size,
      "not on this system",
    ]),
  ];
  const worst = Number.POSITIVE_INFINITY;
  return figures
    .toSorted(([, a = worst], [, b = worst]) => (a === b ? 0 : a - b))
    .map(([name, figure, otherwise]) => [name, figure?.toFixed(4) ?? otherwise]);
}

/** A row for each run, or mixture of runs, and text. */
function comparison(scores: readonly RunScore[]): string[] {
  const head = ["run", "text", "nats/char", "bits/char", "perplexity", "accuracy", "top-5"];
  const withDynamic = scores.some(({ dynamic }) => dynamic);
  const rows = scores.map((score) => [
    score.run,
    score.text,
    score.loss.toFixed(4),
    score.bitsPerCharacter.toFixed(4),
    score.perplexity.toFixed(3),
    percent(score.accuracy),
    percent(score.topFiveAccuracy),
    formatCount(score.characters),
    ...(score.dynamic ? [score.dynamic.loss.toFixed(4)] : []),
  ]);
  return columns([[...head, "characters", ...(withDynamic ? ["dynamic"] : [])], ...rows]);
}

/** `"a"`; what shows nothing is written out. */
function shown(character: string): string {
  return printable(JSON.stringify(character));
}
