import { basename } from "node:path";
import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import { CELLS } from "../config/cells.js";
import { inputName } from "../config/input-name.js";
import { parameterCount } from "../config/parameters.js";
import { bitsPerCharacter, counted, formatCount } from "../text.js";
import type { ModelOrigin } from "./model-origin.js";

/** A fact about a model, and what it is called. */
export type Fact = readonly [name: string, value: string];

/** What a model is, how good, and from what: for those who get the model alone. */
export function modelCard(facts: CheckpointFacts, origin: ModelOrigin["origin"]): Fact[] {
  const { model } = facts.config;
  const input = inputName(model);
  const layers = `${counted(model.layers, "layer")} of ${formatCount(model.hiddenSize)} units`;
  const parameters = `${formatCount(parameterCount(model))} parameters`;
  return [
    ["model", `${CELLS[model.cell].title}, ${layers}, ${input}, ${parameters}`],
    ["vocabulary", `${formatCount(model.vocabularySize)} characters`],
    ...(facts.config.imported ? [] : trainedFacts(facts)),
    ...originFacts(origin, facts.config.text.characters),
  ];
}

function trainedFacts({ config: { text, training }, progress }: CheckpointFacts): Fact[] {
  const { bestLoss, bestStep = 0, step } = progress;
  const { counting, validationCharacters } = text;
  const facts: Fact[] = [];
  if (bestLoss !== undefined) {
    facts.push(["held-out loss", `${inUnits(bestLoss)}, best at step ${formatCount(bestStep)}`]);
  } else {
    const why = validationCharacters > 0 ? "not measured" : "nothing was held out";
    facts.push(["held-out loss", why]);
  }
  if (counting) {
    const better = bestLoss === undefined ? "" : `; ${judged(bestLoss, counting.loss)}`;
    facts.push([`${counting.order}-gram baseline`, `${inUnits(counting.loss)}${better}`]);
  }
  if (validationCharacters > 0) {
    const percent = Math.round((100 * validationCharacters) / text.characters);
    const noun = text.documents === undefined ? "parts" : "documents";
    const how = training.split === "random" ? `random ${noun}` : "the end of the text";
    const { fold } = training;
    const which = fold ? `part ${fold.index} of ${fold.of}` : how;
    const count = formatCount(validationCharacters);
    facts.push(["held out", `${which}: ${count} characters, ${percent} %`]);
  }
  facts.push(["steps", formatCount(step)]);
  return facts;
}

function originFacts(origin: ModelOrigin["origin"], characters: number): Fact[] {
  if (!origin) return [];
  const when = `${dateOf(origin.date)}, by charnn ${origin.version}`;
  if (origin.event === "import") {
    return [["imported", `${when}, from ${basename(origin.file)}; its loss is not known`]];
  }
  // By name alone: where they are is nobody's business.
  const files = origin.settings.files.map((file) =>
    file === "-" ? "standard input" : basename(file),
  );
  return [
    ["text", `${files.join(", ")}: ${formatCount(characters)} characters`],
    ["begun", when],
  ];
}

function inUnits(loss: number): string {
  return `${loss.toFixed(3)} nats/char (${bitsPerCharacter(loss).toFixed(3)} bits/char)`;
}

function judged(loss: number, baseline: number): string {
  const less = Math.round(100 * (1 - loss / baseline));
  return less > 0 ? `the model's loss is ${less} % lower` : "the model is no better";
}

/** `2026-11-29 06:38 UTC` */
function dateOf(date: string): string {
  return date.replace(/^(.*)T(\d\d:\d\d).*$/, "$1 $2 UTC");
}
