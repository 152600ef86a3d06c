import type { Command } from "commander";
import { COPIES, type CopiesCommandSettings } from "../../config/copies.js";
import type { Copies, Copy } from "../../memorization/find-copies.js";
import { counted, formatCount, percent } from "../../text.js";
import type { CommandContext } from "../context.js";
import { columns } from "../format/format.js";
import { addOptions } from "../options/add-options.js";
import { createStatus } from "../terminal/status.js";

/** What can be typed beside the operands. */
type CopiesOptions = Omit<CopiesCommandSettings, "sample" | "files">;

/** This many characters of a run are shown at its beginning, and at its end. */
const SHOWN_CHARACTERS = 40;
/** At most this many copies are listed; --json has all. */
const LISTED_COPIES = 20;

export function copiesCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("copies")
    .summary("Find copied passages")
    .description("Find what a sample has copied from the training text.")
    .argument("<sample>", "a file of what a model wrote; - is standard input")
    .argument("<files...>", "files and folders of the training text");
  addOptions(command, COPIES, [
    "charnn copies sample.txt book.txt",
    "charnn sample -n 10000 | charnn copies - data/shakespeare.txt --at-least 40",
    "charnn copies sample.txt novels/ --json",
  ]).action(async (sample: string, files: string[], { json, ...options }: CopiesOptions) => {
    const { findCopies } = await import("../../memorization/find-copies.js");
    const status = createStatus(context);
    status.show("Comparing the texts");
    const { signal } = interruption;
    const found = await findCopies(
      { ...options, sample, files },
      { stdin: process.stdin, onWarning: status.warn, signal },
    ).finally(status.stop);
    const shown = json ? JSON.stringify(found) : description(found).join("\n");
    await terminal.out(`${shown}\n`);
  });
}

function description({ characters, longest, atLeast, copies, copied, share }: Copies): string[] {
  if (!longest) return ["The sample and the training text have no character in common."];
  const rows = [
    ["longest shared run", counted(longest.length, "character")],
    ["", shortened(longest.text)],
    [
      "in the sample",
      `line ${formatCount(longest.inSample.line)}, column ${longest.inSample.column}`,
    ],
    ["in the text", positionInText(longest)],
    ["copied", `${percent(share)}: ${formatCount(copied)} of ${counted(characters, "character")}`],
    ["copies", `${formatCount(copies.length)} of ${formatCount(atLeast)} characters and more`],
  ];
  const byLength = copies.toSorted((a, b) => b.length - a.length).slice(0, LISTED_COPIES);
  const list = byLength.map((copy) => [
    `  ${formatCount(copy.length)}`,
    `${copy.inSample.line}:${copy.inSample.column}`,
    `${copy.inText.file}:${copy.inText.line}:${copy.inText.column}`,
    shortened(copy.text),
  ]);
  if (list.length === 0) return columns(rows);
  const title = copies.length > list.length ? `The ${list.length} longest copies` : "The copies";
  const head = ["  characters", "sample", "text", ""];
  return [...columns(rows), "", `${title}, by line and column`, ...columns([head, ...list])];
}

function positionInText({ inText: { file, line, column } }: Copy): string {
  return `${file}, line ${formatCount(line)}, column ${column}`;
}

/** A run in one line, without its middle where it is long. */
function shortened(text: string): string {
  const characters = Array.from(text);
  const whole = characters.length <= 2 * SHOWN_CHARACTERS;
  const part = (from: number, to?: number) => characters.slice(from, to).join("");
  const shown = whole ? text : `${part(0, SHOWN_CHARACTERS)} ... ${part(-SHOWN_CHARACTERS)}`;
  return JSON.stringify(shown);
}
