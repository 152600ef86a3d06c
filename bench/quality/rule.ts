/**
 * Compares what charnn chooses for a time, by `src/planning/choice.ts`, with the best of all that was tried in
 * `trials.jsonl`, with any options: text by text, for times between 30 s and 1,000 s of a machine that trains GRU 1x512
 * without n-grams at 35,000 chars/s. With `--fit` it prints the rules with which the losses above the best are least.
 *
 *     npm run bench:rule -- [--fit] [--results bench/quality/trials.jsonl]
 *
 * A preset's losses after other numbers of characters than those that were tried are interpolated, along their logarithm.
 * The last columns are of trials of the chosen models after about as many characters: when in a run the best checkpoint
 * was written, and how much worse its end was, as the mean over these trials.
 */
import { parseArgs } from "node:util";
import { PRESET_NAMES, type PresetName } from "#src/config/names.js";
import { operationsPerCharacter } from "#src/model/flops.js";
import { choiceForTime, RULES } from "#src/planning/choice.js";
import { dropoutFor, presetModel } from "#src/planning/presets.js";
import { type Result, readResults } from "./trial-files.js";

const { values: options } = parseArgs({
  options: { fit: { type: "boolean", default: false }, results: { type: "string" } },
});

const TIMES = [30, 72, 173, 416, 1_000];
/** Characters a second on that machine, with n-grams and evaluations, of a text with 65 different characters. */
const SPEEDS: Readonly<Record<PresetName, number>> = {
  tiny: 120_000,
  small: 66_000,
  medium: 24_000,
  large: 7_400,
};
/** A loss is taken to hold also for up to this many times more or fewer characters than were tried. */
const REACH = 1.1;
/** How a run ends is taken to be the same for up to this many times more or fewer characters. */
const REACH_OF_END = 1.2;
/** The options of trials whose other settings are those that charnn chooses, if dropout is too. */
const PLAIN = /^(--documents \w+)?( ?--(\w+-)?dropout [\d.]+)*$/;
/** Rates of dropout that are this close count as the same. */
const SAME_RATE = 0.011;

/** Losses by the number of characters that each model learned from, the fewest first. */
type Curve = readonly (readonly [characters: number, loss: number])[];

/** The losses of each preset and number of models. */
type Curves = (preset: PresetName, members: number) => Curve;

interface Text {
  readonly name: string;
  readonly characters: number;
  /** Characters a second. */
  readonly speedOf: (preset: PresetName) => number;
  /** Of the settings that charnn chooses. */
  readonly chosen: Curves;
  /** Of trials with those settings and about as many characters; undefined where there are none. */
  readonly endOf: (preset: PresetName, members: number, characters: number) => End | undefined;
  /** Of these, and of all others that were tried. */
  readonly tried: readonly Curves[];
}

interface Reached {
  readonly preset: PresetName;
  readonly members: number;
  readonly loss: number;
}

/** How trials end: when the best checkpoint is written, from 0 to 1, and how much worse their last one is. */
interface End {
  readonly bestAt: number;
  readonly worse: number;
}

const texts = textsOf(readResults(options.results));
if (options.fit) fit();
else {
  const headings = ["text".padEnd(16), "time".padStart(7), "chosen".padEnd(10), "loss".padStart(9)];
  const more = ["best tried".padEnd(10), "loss ", "above", "best at", "worse at end"];
  console.log([...headings, ...more].join("  "));
  for (const text of texts) for (const seconds of TIMES) compare(text, seconds);
}

function compare(text: Text, seconds: number): void {
  const best = bestAt(text, seconds);
  if (!best) return;
  const chosen = chosenAt(text, seconds, RULES);
  const loss = chosen.loss === undefined ? "not tried" : chosen.loss.toFixed(3);
  const above = chosen.loss === undefined ? "" : (chosen.loss - best.loss).toFixed(3);
  const end = text.endOf(chosen.preset, chosen.members, chosen.each);
  const cells = [
    text.name.padEnd(16),
    `${seconds} s`.padStart(7),
    nameOf(chosen).padEnd(10),
    loss.padStart(9),
    nameOf(best).padEnd(10),
    best.loss.toFixed(3),
    above.padStart(5),
    (end ? `${Math.round(100 * end.bestAt)} %` : "").padStart(7),
    end ? end.worse.toFixed(3) : "",
  ];
  console.log(cells.join("  ").trimEnd());
}

function nameOf({ preset, members }: Pick<Reached, "preset" | "members">): string {
  return members > 1 ? `${members} ${preset}` : preset;
}

/** Changes one number of the rules at a time, as long as that makes the losses above the best less. */
function fit(): void {
  let rules = RULES;
  let least = lossAboveBest(rules);
  for (let better = true; better; ) {
    better = false;
    for (const preset of PRESET_NAMES) {
      for (const name of ["fewestCharacters", "passesOfMember", "shortestText"] as const) {
        for (const factor of [0.5, 0.7, 0.85, 1.2, 1.4, 2]) {
          const value = Number((rules[preset][name] * factor).toPrecision(2));
          const changed = { ...rules, [preset]: { ...rules[preset], [name]: value } };
          const above = lossAboveBest(changed);
          if (above > least - 1e-6) continue;
          [rules, least, better] = [changed, above, true];
        }
      }
    }
  }
  console.log(
    `mean loss above the best: ${lossAboveBest(RULES).toFixed(4)}, then ${least.toFixed(4)}`,
  );
  console.log(rules);
}

/** The mean over all texts and times of which the choice was tried; what was not counts as a small loss. */
function lossAboveBest(rules: typeof RULES): number {
  const above = texts.flatMap((text) =>
    TIMES.flatMap((seconds) => {
      const best = bestAt(text, seconds);
      if (!best) return [];
      const { loss } = chosenAt(text, seconds, rules);
      return [loss === undefined ? 0.02 : loss - best.loss];
    }),
  );
  return above.reduce((sum, value) => sum + value, 0) / above.length;
}

function chosenAt(text: Text, seconds: number, rules: typeof RULES) {
  const fitting = PRESET_NAMES.filter((name) => text.characters >= rules[name].shortestText);
  // As charnn does, which compares no other with the smallest one.
  const compared = fitting.length > 1 ? fitting.slice(1) : fitting;
  const speeds = new Map(compared.map((name) => [name, text.speedOf(name)]));
  const { preset, members = 1 } = choiceForTime(seconds, speeds, text.characters, rules);
  const each = (text.speedOf(preset) * seconds) / members;
  return { preset, members, each, loss: lossAfter(each, text.chosen(preset, members)) };
}

function bestAt(text: Text, seconds: number): Reached | undefined {
  let best: Reached | undefined;
  for (const curves of text.tried) {
    for (const preset of PRESET_NAMES) {
      for (let members = 1; members <= 5; members++) {
        const characters = (text.speedOf(preset) * seconds) / members;
        const loss = lossAfter(characters, curves(preset, members));
        if (loss !== undefined && loss < (best?.loss ?? Infinity)) best = { preset, members, loss };
      }
    }
  }
  return best;
}

/** The loss on a curve after this many characters; undefined where no trial came close to it. */
function lossAfter(characters: number, curve: Curve): number | undefined {
  const after = curve.findIndex(([tried]) => tried >= characters);
  const [fewest, first] = curve.at(0) ?? [];
  const [most, last] = curve.at(-1) ?? [];
  if (fewest === undefined || most === undefined) return undefined;
  if (after === 0) return fewest / characters <= REACH ? first : undefined;
  if (after < 0) return characters / most <= REACH ? last : undefined;
  const [[x0, y0], [x1, y1]] = [curve[after - 1], curve[after]];
  return y0 + ((y1 - y0) * Math.log(characters / x0)) / Math.log(x1 / x0);
}

/** The texts that were tried, and what models reached on them. */
function textsOf(results: readonly Result[]): Text[] {
  return [...groupedBy(results, ({ text }) => text)].map(([name, own]) => {
    const tried = [...groupedBy(own, ({ options: given }) => given).values()].map((results) =>
      curvesOf(results, () => true),
    );
    const { characters, vocabularySize } = own[0];
    const speedOf = (preset: PresetName) => {
      const [operations, usual] = [vocabularySize, 65].map((size) =>
        operationsPerCharacter(presetModel(preset, size, characters)),
      );
      return (SPEEDS[preset] * usual) / operations;
    };
    const chosen = curvesOf(own, isChosen);
    const endOf = (preset: PresetName, members: number, each: number) =>
      meanEnd(own.filter((trial) => isLike(trial, preset, members, each)));
    return { name, characters, speedOf, chosen, endOf, tried };
  });
}

/** Whether a trial is of the settings that charnn chooses for that many models, and of about as many characters for each. */
function isLike(trial: Result, preset: PresetName, members: number, characters: number): boolean {
  if (trial.preset !== preset || trial.members !== members || !isChosen(trial, members))
    return false;
  return Math.abs(Math.log((1e6 * trial.millions) / characters)) < Math.log(REACH_OF_END);
}

function meanEnd(trials: readonly Result[]): End | undefined {
  if (trials.length === 0) return undefined;
  const mean = (of: (trial: Result) => number) =>
    trials.reduce((sum, trial) => sum + of(trial), 0) / trials.length;
  return { bestAt: mean(({ bestAt }) => bestAt), worse: mean(({ worseAtEnd }) => worseAtEnd) };
}

/** Whether a trial had the settings that charnn chooses for that many models. */
function isChosen(trial: Result, members: number): boolean {
  if (!PLAIN.test(trial.options)) return false;
  const { preset, vocabularySize, characters, millions } = trial;
  const model = presetModel(preset, vocabularySize, characters);
  const epochs = (1e6 * millions) / characters;
  const rates = dropoutFor(model, { characters, epochs, members });
  return (
    Math.abs(rates.dropout - trial.dropout) < SAME_RATE &&
    Math.abs((rates.ngramDropout ?? 0) - trial.ngramDropout) < SAME_RATE
  );
}

/** As the mean over random seeds. */
function curvesOf(
  results: readonly Result[],
  counts: (trial: Result, members: number) => boolean,
): Curves {
  return (preset, members) => {
    const trials = results.filter(
      (trial) =>
        trial.preset === preset && trial.losses.length >= members && counts(trial, members),
    );
    const means = [...groupedBy(trials, ({ millions }) => 1e6 * millions)].map(
      ([characters, seeds]) => {
        const sum = seeds.reduce((total, { losses }) => total + losses[members - 1], 0);
        return [characters, sum / seeds.length] as const;
      },
    );
    return means.toSorted(([a], [b]) => a - b);
  };
}

/** As `Map.groupBy`, which Node 20 lacks. */
function groupedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key) {
  const groups = new Map<Key, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
