import { createReadStream } from "node:fs";
import type { Command } from "commander";
import { CharnnError, shortened } from "../../errors.js";
import { notReadable } from "../../system-errors.js";
import { hyphened, optionNamed, type Token } from "./spelling.js";

/** More than all options take. */
const MOST_BYTES = 2 ** 20;

/**
 * The options of a command that a file holds as a JSON object: `{"hidden-size": 256}`. What is `false` or
 * `null` is left out.
 *
 * @throws CharnnError for a file that can't be read (`NOT_FOUND`) or is no object of options
 *   (`INVALID_SETTING`)
 */
export async function readConfigFile(file: string, command: Command): Promise<Token[]> {
  const options = parseObject(await readText(file), file);
  return Object.entries(options).flatMap(([name, value]) => {
    const word = hyphened(name);
    const option = optionNamed(word, command);
    const shownName = JSON.stringify(shortened(name));
    if (!option || option.long === "--config") {
      throw notOptions(file, `${shownName} is no option that charnn ${command.name()} has there`);
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
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw notOptions(file, cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw notOptions(file, "it is not an object");
}

async function readText(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw notOptions(file, "it is longer than all options together");
    }
  } catch (cause) {
    throw cause instanceof CharnnError ? cause : notReadable(file, cause);
  }
  return Buffer.concat(chunks).toString();
}

function notOptions(file: string, problem: string): CharnnError {
  return new CharnnError(
    "INVALID_SETTING",
    `${file} does not hold options as JSON: ${problem}.`,
    'It should look like this: {"hidden-size": 256, "max-time": "10m"}',
  );
}
