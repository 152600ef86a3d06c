import type { Vocabulary } from "../../data/vocabulary.js";
import { GramSet } from "../../memorization/gram-set.js";
import type { Prompt, Rule } from "./rule.js";

/** No `length` characters in a row occur twice in a text, the prompt included. */
export function repeatRule(length: number, vocabulary: Vocabulary): Rule {
  const codePoints = Uint32Array.from(vocabulary.codePoints());
  const ofPrompt = stringsOfPrompt(length);
  return {
    setting: `\`maxRepeat: ${length}\``,
    begin(prompt) {
      const before = ofPrompt(prompt);
      const own = new GramSet(length);
      /** The last characters, as code points: one fewer than make a repeat. */
      const recent = before.codePoints.slice(
        before.codePoints.length - Math.min(length - 1, before.codePoints.length),
      );
      // A string may begin in the prompt.
      for (const codePoint of recent) own.append(codePoint);
      return {
        forbid(forbidden) {
          if (recent.length < length - 1) return;
          markRepeats(before.strings, recent, codePoints, forbidden);
          markRepeats(own, recent, codePoints, forbidden);
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

/** Marks the tokens that would repeat one of the strings, with the recent characters as its beginning. */
function markRepeats(
  strings: GramSet,
  recent: readonly number[],
  codePoints: Uint32Array,
  marks: Uint8Array,
): void {
  const occurs = strings.lookUp(recent);
  for (let token = 0; token < codePoints.length; token++) {
    if (occurs(codePoints[token])) marks[token] = 1;
  }
}

/** The strings of a prompt, made once for all texts that continue it. */
function stringsOfPrompt(length: number) {
  let made: { text: string; codePoints: readonly number[]; strings: GramSet } | undefined;
  return ({ text }: Prompt) => {
    if (made?.text !== text) {
      const strings = new GramSet(length);
      const codePoints = Array.from(text, (character) => character.codePointAt(0) as number);
      for (const codePoint of codePoints) strings.append(codePoint);
      made = { text, codePoints, strings };
    }
    return made;
  };
}
