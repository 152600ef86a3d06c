import { InvalidArgumentError, Option } from "commander";

/** An option whose help shows the default that the library takes. */
export function option<Value>(
  flags: string,
  help: string,
  parse?: (text: string) => Value,
  fallback?: unknown,
): Option {
  const made = new Option(flags, fallback === undefined ? help : `${help} (default: ${fallback})`);
  return parse ? made.argParser(parse) : made;
}

/** An option that takes one of a few words. */
export function choice(
  flags: string,
  help: string,
  words: readonly string[],
  fallback?: string,
): Option {
  const choices = `${help}: ${words.join(", ")}`;
  const made = new Option(
    flags,
    fallback === undefined ? choices : `${choices} (default: ${fallback})`,
  );
  return made.argParser((text) => oneOfWords(text, words));
}

function oneOfWords(text: string, words: readonly string[]): string {
  const word = text.toLowerCase();
  if (words.includes(word)) return word;
  throw new InvalidArgumentError(`It must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}.`);
}
