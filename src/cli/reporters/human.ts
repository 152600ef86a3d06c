import { dirname } from "node:path";
import { bitsPerCharacter, counted, formatCount } from "../../text.js";
import type {
  CrossValidationEvent,
  EndEvent,
  EvalEvent,
  PreparingEvent,
  ReplanEvent,
  SampleEvent,
  StartEvent,
  StepEvent,
} from "../../training/events.js";
import { bytes, columns, duration, stepOf } from "../format/format.js";
import {
  inUnits,
  lossToBaseline,
  modelLine,
  regularization,
  summaryLine,
} from "../format/summary.js";
import { optionsToRepeat, type ResumeCommand } from "../resume-command.js";
import { sparkline } from "../terminal/chart.js";
import { createProgress } from "../terminal/progress.js";
import { styled } from "../terminal/styled.js";
import type { Terminal } from "../terminal/terminal.js";
import type { Reporter } from "./reporter.js";

/** How a run ended that did not reach the last of its steps. */
const VERBS: Partial<Record<EndEvent["reason"], string>> = {
  interrupted: "Interrupted and saved",
  patience: "No lower validation loss for too long",
  "target-loss": "The validation loss is low enough",
};

/** Where no bar can be drawn, a line says how it goes so often. */
const SECONDS_BETWEEN_LINES = 10;
/** Of the curve of validation losses beside the bar, in characters. */
const CURVE_WIDTH = 12;

/** A run for a person to follow: what it will do, a bar, evaluations with a sample, the end. */
export function humanReporter(
  terminal: Terminal,
  resumeCommand: (name: string) => ResumeCommand,
): Reporter {
  const { bold, dim, green } = terminal.errorColors;
  const progress = createProgress(terminal);
  let started: StartEvent | undefined;
  let totalSteps: number | undefined;
  let prepared: PreparingEvent["doing"] | undefined;
  let lastLine = 0;
  const validationLosses: number[] = [];

  function preparing({ doing, share }: PreparingEvent): void {
    const line = doing === "reading" ? "Reading the text" : "Counting strings to compare with";
    if (terminal.isInteractive) {
      if (doing !== prepared) {
        progress.stop();
        progress.start(100, 0);
      }
      progress.update(100 * share, [line]);
    } else if (doing !== prepared) progress.say(`${line}.`);
    prepared = doing;
  }

  function start(event: StartEvent): void {
    progress.stop();
    started = event;
    totalSteps = event.totalSteps;
    lastLine = event.seconds;
    const width = terminal.isInteractive ? terminal.stderr.columns : undefined;
    for (const line of introduction(event, width)) progress.say(line);
    progress.say("");
    progress.start(event.totalSteps, event.step);
  }

  function step(event: StepEvent): void {
    const { step, epoch, loss, charsPerSecond, seconds } = event;
    const { step: first = 0, seconds: startSeconds = 0 } = started ?? {};
    const perStep = (seconds - startSeconds) / Math.max(step - first, 1);
    const left = totalSteps && (totalSteps - step) * perStep;
    // The most important first: a narrow terminal has no room for all.
    const facts = [
      `loss ${loss.toFixed(3)}`,
      ...(left === undefined ? [] : [`${duration(left)} left`]),
      `epoch ${formatCount(epoch)}`,
      `${formatCount(charsPerSecond)} chars/s`,
      ...(validationLosses.length > 1
        ? [sparkline(validationLosses, CURVE_WIDTH, terminal.marks)]
        : []),
      `${bitsPerCharacter(loss).toFixed(3)} bits/char`,
    ];
    progress.update(step, left === undefined ? [stepOf(step, totalSteps), ...facts] : facts);
    if (terminal.isInteractive || seconds - lastLine < SECONDS_BETWEEN_LINES) return;
    lastLine = seconds;
    progress.say(`${stepOf(step, totalSteps)}: ${facts.join(", ")}`);
  }

  function replan(event: ReplanEvent): void {
    totalSteps = event.totalSteps;
    progress.changeTotal(totalSteps);
    const speed = totalSteps < event.before ? "slower" : "faster";
    progress.say(
      `Training is ${speed} than planned: ${counted(totalSteps, "step")} in the time, not ${formatCount(event.before)}.`,
    );
  }

  function evaluation(event: EvalEvent): void {
    const { step, epoch, loss, validationLoss, best } = event;
    const facts = loss === undefined ? [] : [`training loss ${loss.toFixed(3)}`];
    if (validationLoss !== undefined) {
      facts.push(`validation loss ${validationLoss.toFixed(3)}`);
      validationLosses.push(validationLoss);
    }
    const line = `step ${formatCount(step)}, epoch ${formatCount(epoch)}: ${facts.join(", ")}`;
    if (best) progress.say(styled(bold, line), ", ", styled(green, "best so far"));
    else progress.say(line);
  }

  function sample({ text }: SampleEvent): void {
    for (const line of text.trim().split("\n")) progress.say(styled(dim, `    ${line}`));
    progress.say("");
  }

  async function end(event: EndEvent): Promise<void> {
    progress.stop();
    const width = terminal.isInteractive ? terminal.stderr.columns : undefined;
    const lines = conclusion(event, started).map((line) => [line]);
    for (const line of columns(lines, width)) terminal.say(line);
    if (event.reason === "interrupted" && started) {
      const { command, needs } = resumeCommand(started.name);
      if (needs !== undefined) terminal.say(needs);
      terminal.say(`To continue: ${command}`);
    }
    await terminal.out(`${event.path}\n`);
  }

  return {
    async report(event) {
      if (event.event === "preparing") preparing(event);
      else if (event.event === "start") start(event);
      else if (event.event === "step") step(event);
      else if (event.event === "replan") replan(event);
      else if (event.event === "eval") evaluation(event);
      else if (event.event === "sample") sample(event);
      else if (event.event === "warning") terminal.warn(event.message);
      else if (event.event === "end") await end(event);
      else if (event.event === "cross-validation") terminal.say(summary(event));
    },
    say: progress.say,
    close: progress.stop,
  };
}

/** What the run will do. */
function introduction(event: StartEvent, width: number | undefined): string[] {
  const { text, model, training } = event.config;
  const split = [`${formatCount(text.trainCharacters)} to train`];
  if (text.validationCharacters > 0)
    split.push(`${formatCount(text.validationCharacters)} to validate`);
  if (text.testCharacters > 0) split.push(`${formatCount(text.testCharacters)} kept to test`);
  if (training.split === "random") split.push("lines dealt at random");
  const regular = regularization(training);
  const unit = text.documents ? "line" : training.batching === "lanes" ? "lane" : "window";
  const rows: [string, string][] = [
    [
      "text",
      `${formatCount(text.characters)} characters, ${formatCount(event.vocabularySize)} different: ${split.join(", ")}`,
    ],
    ["preset", presetLine(event)],
    ["model", modelLine(model, event.parameters)],
    [
      "batches",
      `${counted(training.batchSize, unit)} of ${text.documents ? "up to " : ""}${counted(training.seqLength, "character")}, ${counted(event.stepsPerEpoch, "step")} an epoch`,
    ],
    [
      "training",
      `${lengthLine(event)}, ${training.optimizer}, learning rate ${training.learningRate}, ${training.schedule}`,
    ],
    ...(regular.length > 0 ? [["regularized", regular.join(", ")] as [string, string]] : []),
    ...evaluationRow(event),
    ["backend", `${event.backend.name}, ${counted(event.backend.threads, "thread")}`],
    ["expected", expectedLine(event)],
  ];
  const verb = event.step > 0 ? `Resuming at step ${formatCount(event.step)}` : "Training";
  const table = columns(
    rows.map(([name, fact]) => [`  ${name}`, fact]),
    width,
  );
  return [`${verb}: ${event.path}`, ...table];
}

/** Said where evaluations score less than what is held out. */
function evaluationRow({ config: { text, training } }: StartEvent): [string, string][] {
  const { evalCharacters } = training;
  if (evalCharacters === undefined || evalCharacters >= text.validationCharacters) return [];
  const part = `${formatCount(evalCharacters)} of ${formatCount(text.validationCharacters)} held-out characters`;
  return [["evaluations", `on ${part}, always the same, from all over them`]];
}

/** `3 folds: validation loss 1.500 nats/char ...` */
function summary({ losses, mean, deviation }: CrossValidationEvent): string {
  const each = losses.map((loss) => loss.toFixed(3)).join(", ");
  return `${counted(losses.length, "fold")}: validation loss ${inUnits(mean)}, standard deviation ${deviation.toFixed(3)} (${each})`;
}

/** How long it goes on: `200 steps (1.5 epochs)`, `until the validation loss is 1.5` ... */
function lengthLine({ totalSteps, stepsPerEpoch, config: { limits } }: StartEvent): string {
  const parts = [];
  if (totalSteps !== undefined) {
    const epochs = (totalSteps / stepsPerEpoch).toFixed(1);
    parts.push(`${counted(totalSteps, "step")} (${epochs} epochs)`);
  }
  if (limits.targetLoss !== undefined)
    parts.push(`until the validation loss is ${limits.targetLoss}`);
  if (limits.patience !== undefined) {
    parts.push(`until ${counted(limits.patience, "evaluation")} in a row bring no lower one`);
  }
  return parts.join(" or ");
}

function expectedLine({ expectedSeconds, expectedBytes }: StartEvent): string {
  const memory = `${bytes(expectedBytes)} of memory`;
  return expectedSeconds === undefined ? memory : `${duration(expectedSeconds)}, ${memory}`;
}

/** `small, chosen for 94,039 characters: --preset medium is larger` ... */
function presetLine({ choice, config: { training } }: StartEvent): string {
  if (!choice) return training.preset;
  return `${choice.preset}, chosen ${choice.reason}; --preset takes another`;
}

/** How a run gets to go on that had reached a limit before. */
function longer({ reached }: EndEvent): string {
  if (reached === "patience") {
    return ", by its --patience: raise it to continue, or remove it with --patience 0.";
  }
  if (reached === "target-loss") {
    return ", by its --target-loss: lower it to continue, or remove it with --target-loss 0.";
  }
  return ": raise --epochs, --steps or --max-time to continue it.";
}

function conclusion(event: EndEvent, started: StartEvent | undefined): string[] {
  const step = stepOf(event.step, event.totalSteps);
  const verb = VERBS[event.reason] ?? "Done";
  const lines = [
    event.reason === "done"
      ? `${dirname(event.path)} is already finished${longer(event)}`
      : `${verb}: ${step}, in ${timeTaken(event, started)}.`,
  ];
  if (event.bestLoss !== undefined) {
    const { bestLoss, bestStep = event.step, loss: trainingLoss, wholeLoss = bestLoss } = event;
    lines.push(
      `Best, at step ${formatCount(bestStep)}: ${summaryLine({ ...event, bestLoss: wholeLoss, trainingLoss })}`,
    );
    lines.push(...partLine(event));
    const lost = lossToBaseline({ ...event, bestLoss: wholeLoss });
    if (lost) lines.push(lost);
  }
  const loss = event.bestLoss ?? event.loss;
  const guessing = started && Math.log(started.vocabularySize);
  if (loss !== undefined && guessing !== undefined && loss > guessing) {
    lines.push(
      `The model is worse than guessing, which gives ${guessing.toFixed(3)} nats/char: try a lower --learning-rate.`,
    );
  }
  if (event.droppedSteps > 0) {
    lines.push(
      `${counted(event.droppedSteps, "step")} skipped: the loss or its gradient was not finite.`,
    );
  }
  if (event.testLoss !== undefined) {
    const { testLoss, testedCharacters } = event;
    const all = started?.config.text.testCharacters ?? 0;
    // All but the first character can be predicted.
    const isAll = testedCharacters === undefined || testedCharacters >= all - 1;
    const where = isAll
      ? "the test part"
      : `${formatCount(testedCharacters)} of the ${formatCount(all)} characters kept to test, for which there was time`;
    lines.push(`Its loss on ${where}: ${inUnits(testLoss)}.`);
  }
  if (
    started?.config.limits.maxTime !== undefined &&
    !["interrupted", "done"].includes(event.reason)
  ) {
    lines.push(`To repeat it exactly, in place of --max-time: ${optionsToRepeat(started, event)}`);
  }
  return lines;
}

/** The time of training, or where it was limited that of all there was to do. */
function timeTaken({ seconds }: EndEvent, started: StartEvent | undefined): string {
  const { maxTime } = started?.config.limits ?? {};
  if (maxTime === undefined) return duration(seconds - (started?.seconds ?? 0));
  return `${duration(seconds)} of ${duration(maxTime)}`;
}

/** Where evaluations scored a part of what is held out: which number is of what. */
function partLine(event: EndEvent): string[] {
  const { evalCharacters, bestLoss, wholeLoss, validationCharacters } = event;
  if (evalCharacters === undefined || bestLoss === undefined) return [];
  const part = `${formatCount(evalCharacters)} of ${formatCount(validationCharacters)} held-out characters`;
  return [
    wholeLoss === undefined
      ? `That is the loss on ${part}: there was no time to score all of them.`
      : `That is the loss on all held-out characters; it was chosen by that on ${part}: ${inUnits(bestLoss)}.`,
  ];
}
