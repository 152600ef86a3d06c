import path from "node:path";
import type { Command } from "commander";
import { SCORE, type ScoreCommandSettings } from "../../config/score.js";
import { CharnnError } from "../../errors.js";
import type { ScoredText } from "../../evaluation/score-texts.js";
import { formatCount, percent } from "../../text.js";
import type { CommandContext } from "../context.js";
import { columns } from "../format/format.js";
import { colored, legend } from "../format/surprisal-colors.js";
import { addOptions } from "../options/add-options.js";
import { type MixtureMember, mixtureOf, openRuns } from "../several-runs.js";
import { createStatus, type Status } from "../terminal/status.js";
import type { Terminal } from "../terminal/terminal.js";

const PIECES_AT_ONCE = 1_000;

/** What can be typed beside the operands. */
type ScoreOptions = Omit<ScoreCommandSettings, "files">;

export function scoreCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("score")
    .summary("Find surprising characters")
    .description(
      "Show how well a model expects each character of a text, or which model a text fits.",
    )
    .argument("<run>", "a run's name or folder, or a checkpoint file")
    .argument("<files...>", "files and folders, each file a text of its own; - is standard input")
    .addHelpText(
      "after",
      "\nFigures are surprisal in bits per character: the higher, the less the model expected the text.",
    );
  addOptions(command, SCORE, [
    "charnn score night letter.txt",
    "charnn score night letter.txt --lines | sort -rn | head",
    "charnn score night - --lines --json < letter.txt",
    "charnn score english texts/ --also french german --labels --unknown skip",
    "charnn score night letter.txt --also day --mix 0.7,0.3",
  ]).action(async (run: string, files: string[], options: ScoreOptions) => {
    const { also = [], mix, labels, lines, out, json, ...settings } = options;
    if (labels && also.length === 0) {
      throw new CharnnError(
        "INVALID_SETTING",
        "--labels is for finding out which of several runs fits, and only one is given.",
        "Name the others: --also RUN...",
      );
    }
    const { scoreTexts } = await import("../../evaluation/score-texts.js");
    const { signal } = interruption;
    const runs = await openRuns([run, ...also], terminal, { out, signal });
    const names = runs.map(({ name }) => name);
    const members = mix === undefined ? undefined : (await mixtureOf(runs, mix)).members;
    const status = createStatus(context);
    const texts = scoreTexts(
      runs.map(({ checkpoint }) => checkpoint),
      { ...settings, mix, out, files },
      { stdin: process.stdin, onWarning: status.warn, signal },
    );
    const view = { terminal, signal, names, lines, json };
    const shown = whileScoring(texts, status);
    if (also.length > 0 && !members) await compare(shown, view, labels);
    else await show(shown, view, members);
  });
}

type Texts = AsyncGenerator<ScoredText, void>;

/** Shows that a text is being scored, until its scores are shown. */
async function* whileScoring(texts: Texts, status: Status): Texts {
  status.show("Scoring the text");
  try {
    for await (const text of texts) {
      status.stop();
      yield text;
      status.show("Scoring the text");
    }
  } finally {
    status.stop();
  }
}

interface View {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly names: readonly string[];
  readonly lines: boolean | undefined;
  readonly json: boolean | undefined;
}

/**
 * Shows how each text surprises one model, or a mixture.
 *
 * @param members of a mixture
 */
async function show(
  texts: Texts,
  { terminal, signal, lines, json }: View,
  members: readonly MixtureMember[] | undefined,
): Promise<void> {
  const inColor = !json && !lines && terminal.outColors.level > 0;
  for await (const text of texts) {
    for (const { bits, byModel, ...line } of text.lines()) {
      signal.throwIfAborted();
      if (json) {
        const shown = { file: text.name, members, ...line, ...(!lines && { bits }) };
        await terminal.out(`${JSON.stringify(shown)}\n`);
      } else if (inColor) {
        const pieces = [...colored(line.text, bits, terminal.outColors), "\n"];
        // A call takes a limited number of arguments, and a line may be a whole book.
        for (let start = 0; start < pieces.length; start += PIECES_AT_ONCE) {
          await terminal.out(...pieces.slice(start, start + PIECES_AT_ONCE));
        }
      } else {
        await terminal.out(`${figure(line.bitsPerCharacter)}\t${line.text}\n`);
      }
    }
    if (!json) terminal.say(summaryOf(text));
  }
  if (inColor) terminal.say("Bits per character: ", ...legend(terminal.outColors));
}

/** Which of several models each text, or each line, fits best. */
async function compare(texts: Texts, view: View, labels: boolean | undefined): Promise<void> {
  const { terminal, signal, names, lines, json } = view;
  const judged: Judged[] = [];
  let isBegun = false;
  for await (const text of texts) {
    // A program that reads the table knows its columns.
    if (!isBegun && !json && terminal.outWidth !== undefined) {
      await terminal.out(`${["best", ...names, lines ? "line" : "text"].join("\t")}\n`);
    }
    isBegun = true;
    const label = labels ? labelOf(text.name, names) : undefined;
    const pieces = lines ? text.lines() : [{ ...text.whole, line: undefined, text: undefined }];
    for (const { line, text: content, characters, unknown, mapped, byModel } of pieces) {
      signal.throwIfAborted();
      const best = bestOf(byModel, names);
      if (label !== undefined && best !== undefined) judged.push({ label, best });
      if (json) {
        const byRun = Object.fromEntries(names.map((name, k) => [name, byModel[k]]));
        const piece = { file: text.name, line, text: content, characters, unknown, mapped };
        await terminal.out(`${JSON.stringify({ ...piece, label, best: best ?? null, byRun })}\n`);
      } else {
        const figures = byModel.map(figure).join("\t");
        await terminal.out(`${best ?? "-"}\t${figures}\t${content ?? text.name}\n`);
      }
    }
  }
  if (!labels) return;
  if (json) {
    const byLabel = names.map((name) => [name, rightOnes(labelled(judged, name))]);
    const results = { ...rightOnes(judged), byLabel: Object.fromEntries(byLabel) };
    await terminal.out(`${JSON.stringify(results)}\n`);
  } else {
    for (const line of accuracyTable(judged, names, lines ? "lines" : "texts")) terminal.say(line);
  }
}

/** A piece of text whose run is known, and the run that it fits best. */
interface Judged {
  readonly label: string;
  readonly best: string;
}

/** How often the run that fits best was the right one. */
function rightOnes(judged: readonly Judged[]): { right: number; all: number; accuracy: number } {
  const right = judged.filter(({ label, best }) => label === best).length;
  return { right, all: judged.length, accuracy: right / judged.length };
}

function accuracyTable(
  judged: readonly Judged[],
  names: readonly string[],
  what: string,
): string[] {
  const rowOf = (name: string, own: readonly Judged[]) => {
    const { right, all, accuracy } = rightOnes(own);
    return [
      name,
      `${formatCount(right)} of ${formatCount(all)} ${what}`,
      all > 0 ? percent(accuracy) : "",
    ];
  };
  const rows = names.map((name) => rowOf(name, labelled(judged, name)));
  return ["", ...columns([...rows, rowOf("all", judged)])];
}

function labelled(judged: readonly Judged[], name: string): Judged[] {
  return judged.filter(({ label }) => label === name);
}

/** The run whose name the folder of a file has. */
function labelOf(file: string, names: readonly string[]): string {
  const label = path.basename(path.dirname(path.resolve(file)));
  if (file !== "-" && names.includes(label)) return label;
  throw new CharnnError(
    "INVALID_SETTING",
    `--labels: ${file} is in no folder with the name of a run.`,
    `The runs are ${names.join(", ")}: put their texts into folders of these names.`,
  );
}

/** The name of the model to which a piece has the lowest surprisal; undefined for an empty one. */
function bestOf(bits: readonly (number | null)[], names: readonly string[]): string | undefined {
  const known = bits.map((value) => value ?? Number.POSITIVE_INFINITY);
  const least = known.reduce((lower, value) => Math.min(lower, value), Number.POSITIVE_INFINITY);
  return Number.isFinite(least) ? names[known.indexOf(least)] : undefined;
}

function summaryOf({ name, whole }: ScoredText): string {
  const { characters, unknown, mapped, bitsPerCharacter } = whole;
  const left = unknown - mapped;
  const leftOut = left > 0 ? `; ${formatCount(left)} left out that the model does not know` : "";
  return `${name}: ${figure(bitsPerCharacter)} bits per character, ${formatCount(characters)} characters${leftOut}`;
}

function figure(bits: number | null): string {
  return bits === null ? "-" : bits.toFixed(3);
}
