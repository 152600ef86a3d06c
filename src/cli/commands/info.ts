import type { Command } from "commander";
import type { CheckpointFacts } from "../../checkpoint/checkpoint.js";
import { CELLS } from "../../config/cells.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption, outOption } from "../../config/shared.js";
import type { CharnnError } from "../../errors.js";
import { quoted } from "../../shell-words.js";
import { counted, formatCount } from "../../text.js";
import type { CommandContext } from "../context.js";
import { columns, stepOf } from "../format/format.js";
import { printableLine, printableMessage } from "../format/printable.js";
import { inUnits, lossToBaseline, regularization, summaryLine } from "../format/summary.js";
import { addOptions } from "../options/add-options.js";

interface InfoOptions {
  readonly out?: string;
  readonly json?: boolean;
}

const INFO = {
  out: outOption,
  json: jsonOption("one object for each run"),
} as const satisfies OptionsOf<InfoOptions>;

/** What one run or checkpoint shows of itself. */
interface Facts extends Omit<CheckpointFacts, "vocabulary"> {
  readonly path: string;
  /** In the order of their indices; null stands for all other characters. */
  readonly vocabulary: readonly (string | null)[];
  readonly parameters: number;
}

/** A run that can't be read. */
interface Unreadable {
  readonly path: string;
  readonly error: string;
}

/** When there are runs, and none of them can be read. */
const FAILURE = 1;

export function infoCommand(
  program: Command,
  { terminal, interruption, exitWith }: CommandContext,
): void {
  const command = program
    .command("info")
    .summary("List runs, or show one")
    .description("List all runs, or show what is in one.")
    .argument("[run]", "a run's name or folder, or a checkpoint file");
  addOptions(command, INFO, [
    "charnn info",
    "charnn info shakespeare-gru-1x256",
    "charnn info checkpoints/night/last.safetensors --json",
  ]).action(async (run: string | undefined, { out, json }: InfoOptions) => {
    const { listCheckpoints, loadCheckpoint } = await import("../../runs/load-checkpoint.js");
    const { parameterCount } = await import("../../config/model.js");
    const { signal } = interruption;
    const unreadable: Unreadable[] = [];
    const onUnreadable = (path: string, { message }: CharnnError) =>
      unreadable.push({ path, error: message });
    const checkpoints =
      run === undefined
        ? await listCheckpoints({ out, onUnreadable, signal })
        : [await loadCheckpoint(run, { out, signal, tensors: "none" })];
    const facts = checkpoints.map(({ path, config, progress, vocabulary }): Facts => {
      const parameters = parameterCount(config.model);
      return { path, parameters, config, progress, vocabulary: vocabulary.toJSON() };
    });
    if (json) {
      for (const row of [...facts, ...unreadable]) {
        await terminal.out(`${JSON.stringify(row)}\n`);
      }
    } else if (run !== undefined) {
      await terminal.out(`${describe(facts[0], terminal.outWidth).join("\n")}\n`);
    } else if (facts.length + unreadable.length > 0) {
      for (const line of list(facts, unreadable)) await terminal.out(`${line}\n`);
    } else {
      const folder = out === undefined ? "" : ` --out ${quoted(out)}`;
      terminal.say(`There are no runs yet. Make one: charnn train FILE${folder}`);
    }
    if (facts.length === 0 && unreadable.length > 0) exitWith(FAILURE);
  });
}

function describe(
  { path, config, progress, vocabulary, parameters }: Facts,
  width: number | undefined,
): string[] {
  const { model, text, training } = config;
  const held = [`${formatCount(text.trainCharacters)} trained on`];
  if (text.validationCharacters > 0)
    held.push(`${formatCount(text.validationCharacters)} validated on`);
  if (text.testCharacters > 0) held.push(`${formatCount(text.testCharacters)} kept to test`);
  const rows = [
    ["checkpoint", path],
    [
      "model",
      `${modelName(model)}, ${model.embeddingSize > 0 ? `embedding of ${model.embeddingSize}` : "one-hot input"}`,
    ],
    ["parameters", formatCount(parameters)],
    ["vocabulary", `${formatCount(vocabulary.length)}: ${shownVocabulary(vocabulary)}`],
    ["text", `${formatCount(text.characters)} characters: ${held.join(", ")}`],
    ["batches", `${training.batchSize} ${training.batching} of ${training.seqLength}`],
    [
      "optimizer",
      `${training.optimizer}, learning rate ${training.learningRate}, ${training.schedule}`,
    ],
    ["regularization", regularization(training).join(", ") || "none"],
    [
      "progress",
      `${stepOf(progress.step, progress.totalSteps)}, ${counted(progress.epoch, "whole epoch")}`,
    ],
    ["result", resultOf(config, progress)],
    ["random seed", String(training.randomSeed)],
  ];
  return columns(rows, width);
}

function list(facts: readonly Facts[], unreadable: readonly Unreadable[]): string[] {
  const head = ["run", "model", "parameters", "step", "best validation loss"];
  const rows = facts.map(({ path, config, progress, parameters }) => [
    path,
    modelName(config.model),
    formatCount(parameters),
    [progress.step, ...(progress.totalSteps ? [progress.totalSteps] : [])]
      .map(formatCount)
      .join("/"),
    progress.bestLoss === undefined ? "none yet" : progress.bestLoss.toFixed(4),
  ]);
  return [
    ...(rows.length > 0 ? columns([head, ...rows]) : []),
    // The message begins with the path.
    ...unreadable.map(({ error }) => printableMessage(error)),
  ];
}

function modelName({ cell, layers, hiddenSize }: Facts["config"]["model"]): string {
  return `${CELLS[cell].title} ${layers}x${hiddenSize}`;
}

function resultOf({ text }: Facts["config"], progress: Facts["progress"]): string {
  const { bestLoss, bestStep = 0, trainingLoss } = progress;
  if (bestLoss !== undefined) {
    const result = `${summaryLine({ ...text, bestLoss, trainingLoss })}; best at step ${formatCount(bestStep)}`;
    return [result, lossToBaseline({ ...text, bestLoss })].filter(Boolean).join(". ");
  }
  return trainingLoss === undefined ? "none yet" : `training loss ${inUnits(trainingLoss)}`;
}

/** The first hundred characters, with those that don't show written out. */
function shownVocabulary(vocabulary: readonly (string | null)[]): string {
  const characters = vocabulary.filter((it) => it !== null);
  const shown = characters.slice(0, 100).map(printableLine);
  return (
    shown.join("") +
    (characters.length > shown.length ? " ..." : "") +
    (characters.length < vocabulary.length ? " and one unknown character" : "")
  );
}
