import { readFile } from "node:fs/promises";
import { CharnnError } from "../../errors.js";
import { notReadable } from "../../system-errors.js";

/**
 * What was typed, with `--config FILE` replaced by the options that the file holds. They come first,
 * so that what is typed beside them wins.
 *
 * @throws CharnnError for a file that can't be read (`NOT_FOUND`) or is no object of options
 *   (`INVALID_SETTING`)
 */
export async function expandConfigFile(args: readonly string[]): Promise<string[]> {
  const at = args.findIndex((arg) => arg === "--config" || arg.startsWith("--config="));
  const isOption = at > 0 && !args.slice(0, at).includes("--");
  if (!isOption) return [...args];
  const hasValue = args[at] !== "--config";
  const file = hasValue ? args[at].slice("--config=".length) : args[at + 1];
  // Commander says that the file is missing.
  if (file === undefined) return [...args];
  const [command, ...typed] = [...args.slice(0, at), ...args.slice(at + (hasValue ? 1 : 2))];
  return [command, ...(await readOptions(file)), ...typed];
}

async function readOptions(file: string): Promise<string[]> {
  const options = parseObject(await readText(file), file);
  return Object.entries(options).flatMap(([name, value]) => {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === true) return [option];
    if (value === false || value === null) return [];
    if (typeof value === "string" || typeof value === "number") return [`${option}=${value}`];
    throw notOptions(file, `"${name}" is neither a text, a number, true nor false`);
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

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw notReadable(file, cause);
  }
}

function notOptions(file: string, problem: string): CharnnError {
  return new CharnnError(
    "INVALID_SETTING",
    `${file} does not hold options as JSON: ${problem}.`,
    'It should look like this: {"hidden-size": 256, "max-time": "10m"}',
  );
}
