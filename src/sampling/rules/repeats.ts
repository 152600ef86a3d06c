import type { Vocabulary } from "../../data/vocabulary.js";
import { GramSet } from "../../memorization/gram-set.js";
import type { Prompt, Rule } from "./rule.js";

/** No `length` characters in a row occur twice in a text, the prompt included. */
export function repeatRule(length: number, vocabulary: Vocabulary): Rule {
  const codePoints = Uint32Array.from(vocabulary.codePoints());
  const ofPrompt = stringsOfPrompt(length);
  return {
    option: `--max-repeat ${length}`,
    begin(prompt) {
      const before = ofPrompt(prompt);
      const own = new GramSet(length);
      /** The last characters, as code points: one fewer than make a repeat. */
      const recent = before.end.slice(-(length - 1 || Number.POSITIVE_INFINITY));
      if (length === 1) recent.length = 0;
      // A string may begin in the prompt.
      for (const codePoint of recent) own.append(codePoint);
      return {
        forbid(forbidden) {
          if (recent.length < length - 1) return;
          const inPrompt = before.strings.lookUp(recent);
          const inText = own.lookUp(recent);
          for (let token = 0; token < codePoints.length; token++) {
            const codePoint = codePoints[token];
            if (inText(codePoint) || inPrompt(codePoint)) forbidden[token] = 1;
          }
        },
        wrote(token) {
          const codePoint = codePoints[token];
          own.append(codePoint);
          recent.push(codePoint);
          if (recent.length >= length) recent.shift();
        },
      };
    },
  };
}

/** The strings of a prompt, made once for all texts that continue it. */
function stringsOfPrompt(length: number) {
  let made: { text: string; end: readonly number[]; strings: GramSet } | undefined;
  return ({ text }: Prompt) => {
    if (made?.text !== text) {
      const strings = new GramSet(length);
      const end = Array.from(text, (character) => character.codePointAt(0) as number);
      for (const codePoint of end) strings.append(codePoint);
      made = { text, end, strings };
    }
    return made;
  };
}
