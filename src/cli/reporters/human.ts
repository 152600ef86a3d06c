import { dirname } from "node:path";
import type { EndEvent, EvalEvent, SampleEvent, StartEvent, StepEvent } from "../../index.js";
import { bytes, columns, count, counted, duration } from "../terminal/format.js";
import { modelLine } from "../terminal/model-line.js";
import { printable } from "../terminal/printable.js";
import { createProgress } from "../terminal/progress.js";
import type { Terminal } from "../terminal/terminal.js";
import type { Reporter } from "./reporter.js";

/** Where no bar can be drawn, a line says how it goes so often. */
const SECONDS_BETWEEN_LINES = 10;

/** A run for a person to follow: what it will do, a bar, evaluations with a sample, the end. */
export function humanReporter(
  terminal: Terminal,
  resumeCommand: (name: string) => string,
): Reporter {
  const { bold, dim, green } = terminal.errorColors;
  const progress = createProgress(terminal);
  let started: StartEvent | undefined;
  let lastLine = 0;

  function start(event: StartEvent): void {
    started = event;
    const width = terminal.isInteractive ? terminal.stderr.columns : undefined;
    for (const line of introduction(event, width)) progress.say(line);
    progress.say("");
    progress.start(event.totalSteps, event.step);
  }

  function step(event: StepEvent): void {
    const { step, epoch, loss, charsPerSecond, seconds } = event;
    const { step: first, totalSteps } = started ?? { step: 0, totalSteps: step };
    // The most important first: a narrow terminal has no room for all.
    const facts = [
      `loss ${loss.toFixed(3)}`,
      `${duration(((totalSteps - step) * seconds) / Math.max(step - first, 1))} left`,
      `epoch ${count(epoch)}`,
      `${count(charsPerSecond)} chars/s`,
      `${inBits(loss)} bits/char`,
    ];
    progress.update(step, facts);
    if (terminal.isInteractive || seconds - lastLine < SECONDS_BETWEEN_LINES) return;
    lastLine = seconds;
    progress.say(`step ${count(step)} of ${count(totalSteps)}: ${facts.join(", ")}`);
  }

  function evaluation(event: EvalEvent): void {
    const { step, epoch, loss, validationLoss, best } = event;
    const facts = [`training loss ${loss.toFixed(3)}`];
    if (validationLoss !== undefined) facts.push(`validation loss ${validationLoss.toFixed(3)}`);
    const line = `step ${count(step)}, epoch ${count(epoch)}: ${facts.join(", ")}`;
    progress.say(best ? `${bold(line)}, ${green("best so far")}` : line);
  }

  function sample({ text }: SampleEvent): void {
    for (const line of text.trim().split("\n")) progress.say(dim(`    ${printable(line)}`));
    progress.say("");
  }

  async function end(event: EndEvent): Promise<void> {
    progress.stop();
    for (const line of conclusion(event, started)) terminal.say(line);
    if (event.reason === "interrupted" && started) {
      terminal.say(`Go on: ${resumeCommand(started.name)}`);
    }
    await terminal.out(`${event.path}\n`);
  }

  return {
    async report(event) {
      if (event.event === "start") start(event);
      else if (event.event === "step") step(event);
      else if (event.event === "eval") evaluation(event);
      else if (event.event === "sample") sample(event);
      else if (event.event === "warning") terminal.warn(event.message);
      else if (event.event === "end") await end(event);
    },
    say: progress.say,
    close: progress.stop,
  };
}

function inBits(loss: number): string {
  return (loss / Math.LN2).toFixed(3);
}

/** What the run will do. */
function introduction(event: StartEvent, width: number | undefined): string[] {
  const { text, model, training } = event.config;
  const split = [`${count(text.trainCharacters)} to train`];
  if (text.validationCharacters > 0) split.push(`${count(text.validationCharacters)} to validate`);
  if (text.testCharacters > 0) split.push(`${count(text.testCharacters)} kept to test`);
  const epochs = event.totalSteps / event.stepsPerEpoch;
  const unit = text.documents ? "line" : training.batching === "lanes" ? "lane" : "window";
  const rows: [string, string][] = [
    [
      "text",
      `${count(text.characters)} characters, ${count(event.vocabularySize)} different: ${split.join(", ")}`,
    ],
    ["model", modelLine(model, event.parameters)],
    [
      "batches",
      `${counted(training.batchSize, unit)} of ${text.documents ? "up to " : ""}${counted(training.seqLength, "character")}, ${counted(event.stepsPerEpoch, "step")} an epoch`,
    ],
    [
      "training",
      `${counted(event.totalSteps, "step")} (${epochs.toFixed(1)} epochs), ${training.optimizer}, learning rate ${training.learningRate}, ${training.schedule}`,
    ],
    ["backend", backendLine(event)],
    ["expected", `${duration(event.expectedSeconds)}, ${bytes(event.expectedBytes)} of memory`],
  ];
  const verb = event.step > 0 ? `Resuming at step ${count(event.step)}` : "Training";
  const table = columns(
    rows.map(([name, fact]) => [`  ${name}`, fact]),
    width,
  );
  return [`${verb}: ${event.path}`, ...table];
}

function backendLine({ backend }: StartEvent): string {
  return `${backend.name}, ${counted(backend.threads, "thread")}`;
}

function conclusion(event: EndEvent, started: StartEvent | undefined): string[] {
  const step = `step ${count(event.step)} of ${count(started?.totalSteps ?? event.step)}`;
  const verb = event.reason === "interrupted" ? "Interrupted and saved" : "Done";
  const lines = [
    event.reason === "done"
      ? `${dirname(event.path)} had reached its end before; a higher --epochs, --steps or --max-time makes it longer.`
      : `${verb}: ${step}, in ${duration(event.seconds)}.`,
  ];
  if (event.bestLoss !== undefined) {
    const { bestLoss, bestStep = event.step } = event;
    lines.push(
      `Best validation loss ${bestLoss.toFixed(3)} nats/char (${inBits(bestLoss)} bits/char), at step ${count(bestStep)}.`,
    );
  }
  if (event.testLoss !== undefined) {
    lines.push(
      `Its loss on the test part: ${event.testLoss.toFixed(3)} nats/char (${inBits(event.testLoss)} bits/char).`,
    );
  }
  return lines;
}
