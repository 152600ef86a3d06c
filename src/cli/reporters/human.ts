import type { Preparation } from "../../planning/preparation.js";
import { counted, formatCount } from "../../text.js";
import type {
  CrossValidationEvent,
  EndEvent,
  EvalEvent,
  ReplanEvent,
  SampleEvent,
  StartEvent,
  StepEvent,
} from "../../training/events.js";
import { brokenLines, columns } from "../format/format.js";
import { inUnits } from "../format/summary.js";
import { asTyped } from "../invocation.js";
import { nextCommands, type Typed } from "../next-commands.js";
import { resumeCommand } from "../resume-command.js";
import { withFacts } from "../terminal/bar.js";
import { createProgress } from "../terminal/progress.js";
import { styled } from "../terminal/styled.js";
import { type Terminal, warning } from "../terminal/terminal.js";
import { endBlock } from "./end-block.js";
import { evaluationHead, evaluationRow, ShownRows } from "./evaluation-table.js";
import { FollowedRun } from "./followed-run.js";
import { judgement } from "./judgement.js";
import { progressLines, progressSentence } from "./progress-lines.js";
import type { Reporter } from "./reporter.js";
import { ShownSamples } from "./shown-samples.js";
import { startBlock } from "./start-block.js";

/** How often a line reports progress where no bar can be drawn. */
const SECONDS_BETWEEN_LINES = 10;
/** A smaller relative change of the number of steps is not mentioned. */
const CHANGE_TO_TELL = 0.25;
/** Said after a command that resumes a run of several processes. */
const AS_BEFORE = "Start it with mpirun as before; without it, this machine computes all workers.";
/** The width to which texts are broken into lines where there is no terminal. */
const WIDTH_OF_FILES = 100;

const PREPARATIONS: Readonly<Record<Preparation, string>> = {
  reading: "Reading the text",
  counting: "Counting n-grams to compare with",
  comparing: "Comparing the held-out part with the rest",
  measuring: "Measuring the speed",
  initializing: "Making the first weights",
};

/** A run for a person to follow: what it will do, a bar, a table of evaluations with samples, and how it ended. */
export function humanReporter(terminal: Terminal, typed: Typed): Reporter {
  const { errorColors } = terminal;
  const { dim } = errorColors;
  const progress = createProgress(terminal);
  const samples = new ShownSamples(typed.options);
  let run = new FollowedRun();
  let lastLine = 0;
  let rows = new ShownRows();

  const width = () =>
    terminal.isInteractive ? terminal.stderr.columns || WIDTH_OF_FILES : WIDTH_OF_FILES;

  function prepare(doing: Preparation, share = 0): void {
    const what = PREPARATIONS[doing];
    const line = share > 0 ? `${what}: ${Math.floor(100 * share)}%` : what;
    progress.start((columns) => ({ lines: [withFacts("", [line], columns)] }));
  }

  function start(event: StartEvent): void {
    run = new FollowedRun();
    run.start(event);
    rows = new ShownRows();
    lastLine = event.seconds;
    progress.stop();
    const block = startBlock(event, typed, terminal.isInteractive ? width() : undefined);
    for (const line of block) progress.say(line);
    progress.say("");
    progress.start((columns) => progressLines(run, columns, terminal.marks));
  }

  function step(event: StepEvent): void {
    run.latest = event;
    if (terminal.isInteractive || event.seconds - lastLine < SECONDS_BETWEEN_LINES) return;
    lastLine = event.seconds;
    progress.say(progressSentence(run));
  }

  function replan(event: ReplanEvent): void {
    run.totalSteps = event.totalSteps;
    // A bar shows the number of steps, and the end of the run lists the changes.
    const change = Math.abs(event.totalSteps / event.before - 1);
    if (change < CHANGE_TO_TELL) return;
    const speed = event.totalSteps < event.before ? "slower" : "faster";
    progress.say(
      `Training is ${speed} than planned: ${counted(event.totalSteps, "step")} fit into the time limit, not ${formatCount(event.before)}.`,
    );
  }

  function evaluation(event: EvalEvent): void {
    run.evaluate(event);
    const isFirst = rows.isEmpty;
    if (!rows.take(event, run, samples.isNextShown(run))) return;
    if (isFirst) {
      progress.say(evaluationHead(errorColors, event.validationLoss !== undefined));
    }
    progress.say(evaluationRow(event, run, errorColors));
  }

  function sample(event: SampleEvent): void {
    for (const line of samples.lines(event, run, width())) progress.say(styled(dim, line));
  }

  async function end(event: EndEvent): Promise<void> {
    progress.stop();
    for (const line of endBlock(event, run, width(), terminal.marks)) {
      for (const part of terminal.isInteractive ? brokenLines(line, width()) : [line]) {
        terminal.say(part);
      }
    }
    await terminal.out(`${event.path}\n`);
    sayNext(event);
  }

  function sayNext(event: EndEvent): void {
    const { started } = run;
    if (!started) return;
    if (event.reason === "interrupted") {
      const { command, needs } = resumeCommand(started.name, typed.files, typed.options);
      if (needs !== undefined) terminal.say(needs);
      terminal.say(`To continue: ${asTyped(command)}`);
      if (started.processes) terminal.say(AS_BEFORE);
    } else if (!started.config.training.fold) {
      const { learnsOn } = judgement(event, run);
      const next = nextCommands(started, event, typed, learnsOn);
      terminal.say("");
      for (const line of columns(next.map(([what, command]) => [`${what}:`, asTyped(command)]))) {
        terminal.say(line);
      }
      if (started.processes && next.some(([what]) => what === "Train longer")) {
        terminal.say(AS_BEFORE);
      }
    }
  }

  return {
    async report(event) {
      if (event.event === "preparing") prepare(event.doing, event.share);
      else if (event.event === "start") start(event);
      else if (event.event === "step") step(event);
      else if (event.event === "replan") replan(event);
      else if (event.event === "eval") evaluation(event);
      else if (event.event === "sample") sample(event);
      else if (event.event === "warning") progress.say(warning(event.message, errorColors));
      else if (event.event === "end") await end(event);
      else if (event.event === "cross-validation") terminal.say(summary(event));
    },
    prepare,
    say: progress.say,
    close: progress.stop,
  };
}

/** `3 folds: validation loss 1.500 nats/char ...` */
function summary({ losses, mean, deviation }: CrossValidationEvent): string {
  const each = losses.map((loss) => loss.toFixed(3)).join(", ");
  return `${counted(losses.length, "fold")}: validation loss ${inUnits(mean)}, standard deviation ${deviation.toFixed(3)} (${each})`;
}
