import { randomInt } from "node:crypto";
import type { Command } from "commander";
import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { SAMPLE, type SampleCommandSettings } from "../../config/sample.js";
import { CharnnError } from "../../errors.js";
import { quoted } from "../../shell-words.js";
import { counted } from "../../text.js";
import type { CommandContext } from "../context.js";
import { addOptions, RUN_ARGUMENT } from "../options/add-options.js";
import { refuseEndless, refuseTooMuch } from "../sample/limits.js";
import { hintAtRandomSeed, readSeed } from "../sample/seed.js";
import { sayWhichRun } from "../sample/which-run.js";
import {
  collect,
  separatorOf,
  writeRanking,
  writeStream,
  writeWhole,
} from "../sample/written-texts.js";
import { createStatus } from "../terminal/status.js";
import { warnIfUntrained } from "../untrained.js";

/** A model reads a longer seed for a moment, in characters. */
const LONG_SEED = 20_000;
/** Random seeds that are drawn are below this: few digits to type again. */
const DRAWN_SEEDS = 1_000_000;

export function sampleCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("sample")
    .summary("Write text")
    .description("Write text with a trained model.")
    .argument("[runs...]", `${RUN_ARGUMENT}; several predict together`);
  addOptions(command, SAMPLE, [
    'charnn sample --seed "Once upon"',
    'charnn sample --seed "i love" -n 200',
    "charnn sample shakespeare-gru-1x256 -t 0.5 --count 3",
    "charnn sample --best-of 16 --lines 4",
    "charnn sample checkpoints/night/last.safetensors -n -1 | head -n 40",
    `charnn sample --seed "KING:" --stop $'\\n\\n' --random-seed 7`,
    "charnn sample night --max-copy 30 --training-text book.txt",
    "charnn sample night --words book.txt --max-repeat 20",
    `charnn sample night --match "[A-Z][a-z]+( [a-z]+){3}[.]" --count 5`,
    "charnn sample night --include rose --include night -n 300",
    "charnn sample night day --mix 0.7,0.3",
  ]).action(async (runs: readonly string[], options: SampleCommandSettings) => {
    const { seedFile, greedy, all, out, json, separator, ...given } = options;
    refuseContradictions(options);
    const { loadCheckpoint } = await import("../../runs/load-checkpoint.js");
    const { signal } = interruption;
    const checkpoints: (Checkpoint & { readonly path: string })[] = [];
    for (const [index, run] of (runs.length > 0 ? runs : [undefined]).entries()) {
      const loaded = await loadCheckpoint(run, { out, signal, weightsOnly: true }).catch(
        (error) => {
          throw index > 0 ? orText(error, runs[0], runs.slice(index).join(" ")) : error;
        },
      );
      await warnIfUntrained(terminal, loaded);
      checkpoints.push(loaded);
    }
    const [checkpoint] = checkpoints;
    const seed =
      seedFile === undefined
        ? given.seed
        : await readSeed(seedFile, given, checkpoint, terminal, signal);
    hintAtRandomSeed(given.seed, terminal);
    const randomSeed = given.randomSeed ?? randomInt(DRAWN_SEEDS);
    const settings = { ...given, out, seed, randomSeed, ...(greedy && { temperature: 0 }) };
    const { count = 1, bestOf = 1, include, unique, new: known } = settings;
    const isChosen = bestOf > 1 || include !== undefined || unique || known !== undefined;
    const isGathered = json || count > 1 || isChosen;
    if (isGathered) {
      refuseEndless(settings, checkpoint);
      refuseTooMuch(settings);
    }
    const isByChance = given.randomSeed === undefined && settings.temperature !== 0;
    sayWhichRun(checkpoints, terminal, isByChance ? randomSeed : undefined);
    const status = createStatus(context);
    if (given.maxCopy !== undefined) status.show("Reading the training text");
    else if (given.words !== undefined) status.show("Reading the words");
    else if (isGathered) status.show("Writing");
    else if (seed !== undefined && seed.length > LONG_SEED) status.show("Reading the seed");
    const { documents } = checkpoint.config.text;
    const between = separator ?? separatorOf(settings.lines === 1 ? "lines" : documents);
    const output = { terminal, status, seed: seed ?? "", separator: between };
    const sampleOptions = {
      stdin: process.stdin,
      onWarning: status.warn,
      signal,
      onCandidates: (done: number, tries: number) =>
        status.show(
          `Writing: ${done} of ${counted(count, "text")}, ${counted(tries, "try", "tries")}`,
        ),
    };
    try {
      if (isChosen) {
        const { sampleCandidates } = await import("../../sampling/sample.js");
        const chosen = await sampleCandidates(checkpoints, settings, sampleOptions);
        const shown = all ? chosen : chosen.map(([best]) => [best]);
        if (json) {
          status.stop();
          for (const { text, ...facts } of shown.flat()) {
            await terminal.out(
              `${JSON.stringify({ seed: output.seed, text, randomSeed, ...facts })}\n`,
            );
          }
        } else if (all) await writeRanking(output, chosen);
        else {
          await writeWhole(
            output,
            chosen.map(([best]) => best.text),
          );
          if (include !== undefined) {
            const tries = chosen.reduce((sum, [best]) => sum + best.tries, 0);
            terminal.say(`${counted(tries, "text")} written, ${count} of them kept.`);
          }
        }
        return;
      }
      const { sample } = await import("../../sampling/sample.js");
      const texts = sample(checkpoints, settings, sampleOptions);
      if (json) {
        const whole = await collect(texts);
        status.stop();
        for (const text of whole) {
          await terminal.out(`${JSON.stringify({ seed: output.seed, text, randomSeed })}\n`);
        }
      } else if (isGathered) await writeWhole(output, await collect(texts));
      else await writeStream(output, texts);
    } finally {
      status.stop();
    }
  });
}

/** Adds how to continue a text, in case the second argument was meant as one. */
function orText(error: unknown, run: string, text: string): unknown {
  if (!(error instanceof CharnnError) || error.code !== "NOT_FOUND") return error;
  const hint = `To continue a text: charnn sample ${quoted(run)} --seed ${quoted(text)}`;
  return new CharnnError(error.code, error.message, hint, { cause: error });
}

function refuseContradictions(options: SampleCommandSettings): void {
  const { greedy, temperature, seed, seedFile } = options;
  const refuse = (message: string, hint: string) => {
    throw new CharnnError("INVALID_SETTING", message, hint);
  };
  if (greedy && (temperature ?? 0) !== 0) {
    refuse(
      `--greedy means --temperature 0, which contradicts --temperature ${temperature}.`,
      "Leave one of them out.",
    );
  }
  if (seedFile !== undefined && seed !== undefined) {
    refuse("--seed and --seed-file both give the text to continue.", "Leave one of them out.");
  }
}
