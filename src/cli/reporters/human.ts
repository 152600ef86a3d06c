import type { EndEvent, EvalEvent, SampleEvent, StartEvent, StepEvent } from "../../index.js";
import { CELLS } from "../../model/cells.js";
import { bytes, columns, count, counted, duration } from "../terminal/format.js";
import { printable } from "../terminal/printable.js";
import { createProgress } from "../terminal/progress.js";
import type { Terminal } from "../terminal/terminal.js";
import type { Reporter } from "./reporter.js";

/** Where no bar can be drawn, a line says how it goes so often. */
const SECONDS_BETWEEN_LINES = 10;

/** A run for a person to follow: what it will do, a bar, evaluations with a sample, the end. */
export function humanReporter(terminal: Terminal): Reporter {
  const { bold, dim, green } = terminal.errorColors;
  const progress = createProgress(terminal);
  let started: StartEvent | undefined;
  let lastLine = 0;

  function start(event: StartEvent): void {
    started = event;
    for (const line of introduction(event)) progress.say(line);
    progress.say("");
    progress.start(event.totalSteps, event.step);
  }

  function step(event: StepEvent): void {
    const { step, loss, charsPerSecond } = event;
    const facts = [
      `epoch ${event.epoch}`,
      `loss ${loss.toFixed(3)}`,
      `${inBits(loss)} bits/char`,
      `${count(charsPerSecond)} chars/s`,
    ];
    progress.update(step, facts.join(", "));
    if (terminal.isInteractive || event.seconds - lastLine < SECONDS_BETWEEN_LINES) return;
    lastLine = event.seconds;
    const total = started?.totalSteps ?? step;
    const left = ((total - step) * event.seconds) / Math.max(step - (started?.step ?? 0), 1);
    progress.say(`step ${step}/${total}, ${facts.join(", ")}, ${duration(left)} left`);
  }

  function evaluation(event: EvalEvent): void {
    const facts = [
      `step ${event.step}`,
      `epoch ${event.epoch}`,
      `training loss ${event.loss.toFixed(3)}`,
    ];
    if (event.validationLoss !== undefined) {
      facts.push(`validation loss ${event.validationLoss.toFixed(3)}`);
      facts.push(`${inBits(event.validationLoss)} bits/char`);
    }
    const line = facts.join(", ");
    progress.say(event.best ? `${bold(line)} ${green("best so far")}` : line);
  }

  function sample({ text }: SampleEvent): void {
    for (const line of text.trim().split("\n")) progress.say(dim(`    ${printable(line)}`));
    progress.say("");
  }

  async function end(event: EndEvent): Promise<void> {
    progress.stop();
    for (const line of conclusion(event, started)) terminal.say(line);
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
    close: () => progress.stop(),
  };
}

function inBits(loss: number): string {
  return (loss / Math.LN2).toFixed(3);
}

/** What the run will do. */
function introduction(event: StartEvent): string[] {
  const { text, model, training } = event.config;
  const split = [`${count(text.trainCharacters)} to train`];
  if (text.validationCharacters > 0) split.push(`${count(text.validationCharacters)} to validate`);
  if (text.testCharacters > 0) split.push(`${count(text.testCharacters)} kept to test`);
  const input = model.embeddingSize > 0 ? `embedding of ${model.embeddingSize}` : "one-hot input";
  const dropout = model.dropout > 0 ? `, dropout ${model.dropout}` : "";
  const layers = `${counted(model.layers, "layer")} of ${count(model.hiddenSize)}`;
  const epochs = event.totalSteps / event.stepsPerEpoch;
  const unit = training.batching === "lanes" && !text.documents ? "lane" : "window";
  const rows: [string, string][] = [
    [
      "text",
      `${count(text.characters)} characters, ${count(event.vocabularySize)} different: ${split.join(", ")}`,
    ],
    [
      "model",
      `${CELLS[model.cell].title}, ${layers}, ${input}${dropout}: ${count(event.parameters)} parameters`,
    ],
    [
      "batches",
      `${counted(training.batchSize, unit)} of ${counted(training.seqLength, "character")}, ${counted(event.stepsPerEpoch, "step")} an epoch`,
    ],
    [
      "training",
      `${counted(event.totalSteps, "step")} (${epochs.toFixed(1)} epochs), ${training.optimizer}, learning rate ${training.learningRate}, ${training.schedule}`,
    ],
    ["backend", backendLine(event)],
    [
      "expected",
      `about ${duration(event.expectedSeconds)}, ${bytes(event.expectedBytes)} of memory`,
    ],
  ];
  const verb = event.step > 0 ? `Resuming at step ${count(event.step)}` : "Training";
  return [`${verb}: ${event.path}`, ...columns(rows.map(([name, fact]) => [`  ${name}`, fact]))];
}

function backendLine({ backend }: StartEvent): string {
  const reasons = backend.passedOver.map(({ name, why }) => `${name} not: ${why}`);
  return [backend.name, ...reasons].join("; ");
}

const REASONS: Readonly<Record<EndEvent["reason"], string>> = {
  epochs: "Done",
  steps: "Done",
  "max-time": "Done",
  interrupted: "Interrupted and saved",
  done: "This run had reached its end already; a higher --epochs, --steps or --max-time makes it longer",
};

function conclusion(event: EndEvent, started: StartEvent | undefined): string[] {
  const lines = [
    event.reason === "done"
      ? `${REASONS.done}.`
      : `${REASONS[event.reason]}: step ${count(event.step)} after ${duration(event.seconds)}.`,
  ];
  if (event.bestLoss !== undefined) {
    const { bestLoss, bestStep = event.step } = event;
    lines.push(
      `Best validation loss ${bestLoss.toFixed(3)} nats/char (${inBits(bestLoss)} bits/char), at step ${count(bestStep)}.`,
    );
  }
  if (event.reason === "interrupted" && started) {
    lines.push(`Go on: charnn train ... --name ${started.name} --resume`);
  }
  return lines;
}
