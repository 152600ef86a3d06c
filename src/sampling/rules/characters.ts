import { RegExpParser } from "@eslint-community/regexpp";
import type { Vocabulary } from "../../data/vocabulary.js";
import { CharnnError, shortened } from "../../errors.js";
import { DOCUMENT_END } from "../../text.js";
import type { Rule } from "./rule.js";

/**
 * Only the characters of one set are written, or none of another.
 *
 * @param setting `allow` or `forbid`
 * @param set as between the brackets of a regular expression: `a-z .,`, `\p{Lu}`
 * @throws CharnnError `INVALID_SETTING` where it is not such a set, or leaves no character of the vocabulary
 */
export function characterRule(
  setting: "allow" | "forbid",
  set: string,
  vocabulary: Vocabulary,
): Rule {
  const isIn = setOf(setting, set);
  const wanted = setting === "allow";
  const refused = new Uint8Array(vocabulary.size);
  let left = 0;
  for (const codePoint of vocabulary.codePoints()) {
    if (codePoint === DOCUMENT_END) continue;
    if (isIn(String.fromCodePoint(codePoint)) === wanted) left++;
    else refused[vocabulary.indexOf(codePoint) as number] = 1;
  }
  if (left === 0) {
    const problem = wanted ? "contains none" : "contains all";
    throw invalid(setting, `${setting} ${problem} of the characters that the model knows.`);
  }
  return {
    setting: `\`${setting}: ${JSON.stringify(shortened(set))}\``,
    permits: (codePoint) => isIn(String.fromCodePoint(codePoint)) === wanted,
    begin: () => ({
      forbid(forbidden) {
        for (let token = 0; token < refused.length; token++) forbidden[token] |= refused[token];
      },
      wrote() {},
    }),
  };
}

function setOf(setting: "allow" | "forbid", set: string): (character: string) => boolean {
  if (set === "") throw invalid(setting, `${setting} contains no characters.`);
  try {
    const source = `[${set}]`;
    const [first, ...others] = new RegExpParser().parsePattern(source, 0, source.length, {
      unicode: true,
    }).alternatives;
    const isOne = others.length === 0 && first.elements.length === 1;
    // A bracket inside closes the set.
    if (!isOne) throw new SyntaxError("a bracket needs a backslash before it");
    const expression = new RegExp(`^${source}$`, "u");
    return (character) => expression.test(character);
  } catch (error) {
    const reason = (error as Error).message.replace(/^.*\/u?: /s, "");
    throw invalid(
      setting,
      `${setting} is not a set of characters: ${reason}.`,
      `Give characters and ranges as between the brackets of a regular expression: \`${setting}: "a-z .,"\`; \\ stands before ] \\ ^ and -.`,
      error,
    );
  }
}

function invalid(setting: string, message: string, hint?: string, cause?: unknown): CharnnError {
  return new CharnnError("INVALID_SETTING", message, hint, { setting, cause });
}
