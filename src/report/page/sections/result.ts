import type { CheckpointFacts } from "../../../checkpoint/checkpoint.js";
import { CELLS } from "../../../config/cells.js";
import { memberCount } from "../../../config/members.js";
import { parameterCount } from "../../../config/parameters.js";
import type { EvalRecord } from "../../../runs/metrics.js";
import { bitsPerCharacter, duration, formatCount } from "../../../text.js";
import { commandOf, lastStepOf, type ReportedRun, secondsOf } from "../../reported-run.js";
import { type Html, html } from "../html.js";
import { figure, runName, table } from "../tables.js";

/** What the runs reached, and how they were made. */
export function resultSection(runs: readonly ReportedRun[], isLive: boolean): Html {
  return html`<section aria-labelledby="result"><h2 id="result">Result</h2>
<div id="result-body">${resultOf(runs)}</div>
${runs.length === 1 ? facts(runs[0], isLive) : ""}
${commands(runs)}</section>
`;
}

/** What the runs reached: what changes while a run goes on. */
export function resultOf(runs: readonly ReportedRun[]): Html {
  if (runs.length === 0) return html`<p>Nothing yet.</p>`;
  return runs.length === 1 ? headline(runs[0]) : comparison(runs);
}

/** The one number, and what it is judged by. */
function headline({ metrics, facts }: ReportedRun): Html {
  const { best, evaluations, steps } = metrics;
  const atBest = trainingLossAtBest(metrics);
  if (!best) {
    const loss = evaluations.at(-1)?.loss ?? steps.at(-1)?.loss;
    if (metrics.imported) {
      return html`<p>The model was trained elsewhere and imported: its loss is not known. <code>charnn eval</code> measures it on a text.</p>`;
    }
    if (typeof loss !== "number") return html`<p>There is no loss yet.</p>`;
    return html`<p class="headline">${inUnits(loss)} <span>on what it was trained on; there is no validation loss yet</span></p>`;
  }
  const baseline = facts?.config.text.counting;
  const rows: [string, number][] = [["the model, on held-out text", best.loss]];
  if (baseline) rows.push([`${baseline.order}-gram baseline, on the same text`, baseline.loss]);
  if (atBest !== undefined) rows.push(["the model, on what it was trained on", atBest]);
  const most = Math.max(...rows.map(([, loss]) => loss));
  const at = `best at step ${formatCount(best.step)}`;
  return html`<div class="bars"><p class="headline">${inUnits(best.loss)} <span>on held-out text, ${at}${baseline ? `; ${judged(best.loss, baseline.loss)}` : ""}</span></p>
${table(
  "Losses",
  ["lower is better", "", "nats/char", "bits/char"],
  rows.map(([name, loss]) => [
    name,
    html`<span class="bar" style="width: ${((9 * loss) / most).toFixed(2)}rem"></span>`,
    figure(loss),
    figure(bitsPerCharacter(loss)),
  ]),
)}</div>`;
}

function inUnits(loss: number): Html {
  return html`<strong>${figure(loss)} nats/char</strong> <span>(${figure(bitsPerCharacter(loss))} bits/char)</span>`;
}

function judged(loss: number, baseline: number): string {
  const less = Math.round(100 * (1 - loss / baseline));
  return less > 0
    ? `${less} % lower than the n-gram baseline`
    : "no better than the n-gram baseline";
}

function comparison(runs: readonly ReportedRun[]): Html {
  const losses = runs.map(({ metrics: { best } }) => best?.loss ?? Number.POSITIVE_INFINITY);
  const least = Math.min(...losses);
  const isComparable = haveSameText(runs);
  const head = [
    "run",
    "held out, nats/char",
    "bits/char",
    "n-gram baseline, nats/char",
    "training, nats/char",
    "best at step",
    "parameters",
    "training time",
    "steps",
  ];
  const rows = runs.map((run, k) => {
    const { metrics, facts } = run;
    const { best } = metrics;
    const held = figure(best?.loss);
    const isBest = isComparable && losses[k] === least && Number.isFinite(least);
    return [
      runName(metrics.run.name, k),
      isBest ? html`<strong>${held}</strong> (lowest)` : held,
      best ? figure(bitsPerCharacter(best.loss)) : "",
      figure(facts?.config.text.counting?.loss),
      figure(trainingLossAtBest(metrics)),
      best ? formatCount(best.step) : "",
      facts ? formatCount(memberCount(facts.config) * parameterCount(facts.config.model)) : "",
      duration(secondsOf(metrics)),
      stepsOf(run),
    ];
  });
  const note = html`<p role="note">The runs hold out different texts, so their losses can't be compared with each other, only each with its n-gram baseline.</p>`;
  return html`${table("Results of the runs", head, rows)}${isComparable ? "" : note}`;
}

/** Losses on different texts can't be compared. */
function haveSameText(runs: readonly ReportedRun[]): boolean {
  const texts = runs.flatMap(({ facts }) => {
    if (!facts) return [];
    const { text, training } = facts.config;
    return [JSON.stringify([text.fingerprint, text.validationCharacters, training.fold])];
  });
  return new Set(texts).size < 2;
}

function trainingLossAtBest({ best, evaluations }: ReportedRun["metrics"]): number | undefined {
  const isBest = ({ step }: EvalRecord) => step === best?.step;
  return (evaluations.find(isBest) ?? evaluations.at(-1))?.loss ?? undefined;
}

function stepsOf({ metrics, totalSteps }: ReportedRun): string {
  const step = lastStepOf(metrics);
  const isOver = totalSteps === undefined || step >= totalSteps;
  return isOver ? formatCount(step) : `${formatCount(step)} of ${formatCount(totalSteps)}`;
}

/** `240,349 parameters`, or of each member where there are several */
function parametersOf({ config }: CheckpointFacts): string {
  const members = memberCount(config);
  const parameters = `${formatCount(parameterCount(config.model))} parameters`;
  return members > 1 ? `${members} members, ${parameters} each` : parameters;
}

/** How a run was made. A live page says elsewhere how far it has come. */
function facts(run: ReportedRun, isLive: boolean): Html {
  const { metrics, facts: own } = run;
  const { origin, imported } = metrics;
  const rows: [name: string, value: string][] = [];
  if (own) {
    const { model, text } = own.config;
    const { cell, layers, hiddenSize } = model;
    rows.push(["model", `${CELLS[cell].title} ${layers}x${hiddenSize}, ${parametersOf(own)}`]);
    const held =
      text.validationCharacters > 0
        ? `, ${formatCount(text.validationCharacters)} of them held out`
        : "";
    if (!imported) rows.push(["text", `${formatCount(text.characters)} characters${held}`]);
  }
  if (imported) {
    rows.push(["imported", dateOf(imported.date)]);
    rows.push(["from", imported.file]);
    rows.push(["charnn", imported.version]);
  } else if (!isLive) {
    rows.push(["steps", stepsOf(run)]);
    rows.push(["training time", duration(secondsOf(metrics))]);
  }
  if (origin) {
    const threads = origin.threads === 1 ? "1 thread" : `${origin.threads} threads`;
    rows.push(["begun", dateOf(origin.date)]);
    rows.push(["backend", `${origin.backend}, ${threads}`]);
    rows.push(["charnn", origin.version]);
  }
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
`;
}

/** `2026-11-29 06:38 UTC` */
function dateOf(date: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(date);
  return match ? `${match[1]} ${match[2]} UTC` : date;
}

function commands(runs: readonly ReportedRun[]): Html {
  const made = runs.flatMap((run, k) => {
    const command = commandOf(run);
    return command === undefined ? [] : [{ run, k, command }];
  });
  if (made.length === 0) return html``;
  const isOne = runs.length === 1;
  return html`<h3>${isOne ? "Command that makes it" : "Commands that make them"}</h3>
${made.map(
  ({ run, k, command }) =>
    html`${isOne ? "" : html`<p>${runName(run.metrics.run.name, k)}</p>`}<pre class="command">${inWords(command)}</pre>`,
)}`;
}

/** A command that is broken only between its options. */
function inWords(command: string): Html {
  const words = command.split(/ (?=--)/);
  return html`${words.map((word, k) => html`${k === 0 ? "" : " "}<span>${word}</span>`)}`;
}
