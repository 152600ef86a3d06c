import type { Command } from "commander";
import { NEXT, type NextCommandSettings } from "../../config/next.js";
import { showCharacter } from "../../data/characters.js";
import type { Next } from "../../sampling/prediction.js";
import type { CommandContext } from "../context.js";
import { addOptions } from "../options/add-options.js";
import { createStatus } from "../terminal/status.js";
import type { Terminal } from "../terminal/terminal.js";
import { warnIfUntrained } from "../untrained.js";

const BAR_WIDTH = 24;
/** Earlier characters that are shown; --json has all. */
const SHOWN_DEPENDENCES = 8;
/** A model reads a longer text for a moment, in characters. */
const LONG_TEXT = 5_000;
/** Characters with less than this change nothing worth showing. */
const LEAST_BITS = 0.01;

export function nextCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("next")
    .summary("Show what comes next")
    .description(
      "Show the likeliest next characters after a text, and which earlier characters they depend on most.",
    )
    .argument("<run>", "a run's name or folder, or a checkpoint file")
    .argument("<text>", "the text that the character comes after");
  addOptions(command, NEXT, [
    'charnn next night "thou ar"',
    'charnn next night "Shall I compare thee to a summer" --top 3',
    'charnn next night "my lov" --json',
  ]).action(async (run: string, text: string, given: Omit<NextCommandSettings, "text">) => {
    const { json, out, ...settings } = given;
    const { loadCheckpoint } = await import("../../runs/load-checkpoint.js");
    const { nextCharacters } = await import("../../sampling/next-characters.js");
    const { signal } = interruption;
    const checkpoint = await loadCheckpoint(run, { out, signal, weightsOnly: true });
    await warnIfUntrained(terminal, checkpoint);
    const status = createStatus(context);
    if (text.length > LONG_TEXT) status.show("Reading the text");
    const options = { signal, onWarning: status.warn };
    const next = await nextCharacters(checkpoint, { ...settings, text }, options).finally(
      status.stop,
    );
    if (json) await terminal.out(`${JSON.stringify({ text, ...next })}\n`);
    else await terminal.out(`${[...likeliest(next, terminal), ...dependences(next)].join("\n")}\n`);
  });
}

function likeliest({ characters }: Next, { marks }: Terminal): string[] {
  const names = characters.map(({ character }) => shown(character));
  const width = names.reduce((most, { length }) => Math.max(most, length), 0);
  return characters.map(({ probability }, index) => {
    const bar = marks.bar[0].repeat(Math.round(probability * BAR_WIDTH));
    const percent = `${(100 * probability).toFixed(1)} %`.padStart(7);
    return `${names[index].padEnd(width)}  ${percent}  ${bar}`.trimEnd();
  });
}

function dependences({ depends }: Next): string[] {
  const shownOnes = depends
    .filter(({ bits }) => bits >= LEAST_BITS)
    .slice(0, SHOWN_DEPENDENCES)
    .map(({ character, distance, bits }) => {
      const where = distance === 1 ? "the last character" : `${distance} from the end`;
      return `  ${shown(character).padEnd(8)}  ${bits.toFixed(2).padStart(5)} bits  ${where}`;
    });
  if (shownOnes.length === 0) return [];
  return ["", "Without one of these the prediction changes most:", ...shownOnes];
}

function shown(character: string): string {
  // A model of documents also predicts where they end.
  if (character === "") return "the end";
  return showCharacter(character.codePointAt(0) as number);
}
