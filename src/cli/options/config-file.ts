import type { Command } from "commander";
import { TYPED_ONLY } from "../../config/config-file-options.js";
import { CharnnError, shortened } from "../../errors.js";
import { hyphened } from "../../text.js";
import { optionNamed } from "./add-options.js";
import type { Token } from "./spelling.js";

/** More than all options take. */
const MAX_CHARACTERS = 2 ** 20;
/** Advice on texts, which have options for how they are decoded. */
const ABOUT_DECODING = /`(?:encoding|invalid)\b/;
/** Strings that a colon follows, as names; and other strings, which may have brackets in them. */
const NAMES_AND_BRACKETS = /("[^"\\]*(?:\\.[^"\\]*)*")\s*:|"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;

/**
 * The options of a command that a file holds as a JSON object: `{"hidden-size": 256}`. What is `false` or
 * `null` is left out.
 *
 * @param file its path, or `-` for the standard input
 * @throws CharnnError for a file that can't be read (`NOT_FOUND`, `BAD_TEXT`) or is no object of options
 *   (`INVALID_SETTING`)
 */
export async function readConfigFile(
  file: string,
  command: Command,
  signal: AbortSignal | undefined,
): Promise<Token[]> {
  const text = await readText(file, signal);
  const options = parseObject(text, file);
  refuseTwice(text, file);
  return Object.entries(options).flatMap(([name, value]) => {
    // It tells an editor which names and values there are.
    if (name === "$schema") return [];
    const word = hyphened(name);
    const option = optionNamed(word, command);
    const shownName = JSON.stringify(shortened(name));
    if (!option) {
      throw notOptions(file, `${shownName} is no option that charnn ${command.name()} has there`);
    }
    if (TYPED_ONLY.has(option.name())) {
      throw new CharnnError(
        "INVALID_SETTING",
        `${shownName} can only be typed, and is in ${file}.`,
        `Leave it out of the file, and type ${option.long}.`,
      );
    }
    if (value === false || value === null) return [];
    const isText = typeof value === "string" || typeof value === "number";
    // Before the value is shown: lists in lists of any depth can be read, but not written.
    if (option.required ? !isText : value !== true) {
      const kind = option.required ? "a text or a number" : "true or false";
      throw notOptions(file, `${shownName} must be ${kind}`);
    }
    const shown = `${shownName}: ${shortened(JSON.stringify(value))} in ${file}`;
    if (value === true) {
      return { words: [`${option.long}`], given: { word, shown, option, value: undefined } };
    }
    const given = { word, shown, option, value: String(value) };
    return { words: [`${option.long}=${value}`], given };
  });
}

function parseObject(text: string, file: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notOptions(file, cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw notOptions(file, "it is not an object");
}

/**
 * Refuses a name that is there twice, in one spelling or in two: of these JSON takes the last one.
 *
 * @param text an object in JSON
 */
function refuseTwice(text: string, file: string): void {
  const before = new Map<string, string>();
  for (const name of namesIn(text)) {
    const other = before.get(hyphened(name));
    before.set(hyphened(name), name);
    if (other === undefined) continue;
    const [one, two] = [other, name].map((it) => JSON.stringify(shortened(it)));
    const problem = one === two ? `${one} is there twice` : `${one} and ${two} are one option`;
    throw new CharnnError(
      "INVALID_SETTING",
      `${file} gives two values to one option: ${problem}.`,
      "Leave one of them out.",
    );
  }
}

/** The names in an object in JSON, without those in objects within it. */
function namesIn(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  for (const [token, name] of text.matchAll(NAMES_AND_BRACKETS)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (name !== undefined && depth === 1) names.push(JSON.parse(name));
  }
  return names;
}

async function readText(file: string, signal: AbortSignal | undefined): Promise<string> {
  const { readOneFile } = await import("../../data/one-file.js");
  const { advise } = await import("../../data/repair-commands.js");
  const tooLong = () => notOptions(file, "it is longer than all options together");
  const settings = { encoding: "utf-8", most: MAX_CHARACTERS, tooLong };
  try {
    return (await readOneFile(file, settings, { stdin: process.stdin, signal })).text;
  } catch (error) {
    if (!(error instanceof CharnnError && ABOUT_DECODING.test(error.hint ?? ""))) throw error;
    const command = "iconv -f ENCODING -t utf-8 FILE > NEWFILE";
    const hint = `Options are read as UTF-8.${advise("To convert the file", command)}`;
    throw new CharnnError(error.code, error.message, hint, { cause: error });
  }
}

function notOptions(file: string, problem: string): CharnnError {
  return new CharnnError(
    "INVALID_SETTING",
    `${file} does not hold options as JSON: ${problem}.`,
    'It should look like this: {"hidden-size": 256, "max-time": "10m"}',
  );
}
