import { InvalidArgumentError, Option } from "commander";
import { CharnnError, shortened } from "../../errors.js";

/** An option whose help shows the default that the library takes. */
export function option<Value>(
  flags: string,
  help: string,
  parse?: (text: string) => Value,
  fallback?: unknown,
): Option {
  const made = new Option(flags, fallback === undefined ? help : `${help} (default: ${fallback})`);
  return parse ? made.argParser(naming(`--${made.name()}`, parse)) : made;
}

/** An option that takes one of a few words. */
export function choice(
  flags: string,
  help: string,
  words: readonly string[],
  fallback?: string,
): Option {
  const parse = (text: string) => oneOfWords(text, words);
  return option(flags, `${help}: ${words.join(", ")}`, parse, fallback);
}

/** A parser that says of which option it speaks when it refuses a text. */
function naming<Value>(name: string, parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      const message = `${name} ${error.message}, not ${JSON.stringify(shortened(text))}.`;
      throw new CharnnError("INVALID_SETTING", message, undefined, { cause: error });
    }
  };
}

function oneOfWords(text: string, words: readonly string[]): string {
  const word = text.toLowerCase();
  if (words.includes(word)) return word;
  const others = words.slice(0, -1).join(", ");
  throw new InvalidArgumentError(`must be ${others ? `${others} or ` : ""}${words.at(-1)}`);
}
