import type { Vocabulary } from "../../data/vocabulary.js";
import { CharnnError, shortened } from "../../errors.js";
import { NEWLINE } from "../../text.js";
import { Automaton, NEVER, type Place } from "./automaton.js";
import type { Prompt, Rule } from "./rule.js";

/**
 * A text, the prompt included, matches a regular expression as a whole; or each of its lines does. Characters
 * after which no match could be completed in time are impossible. Where the text matches already, it ends when
 * the model chooses a character with which it no longer could.
 *
 * @param settings `lines`: how many lines a text has that each match; left out: the whole text matches.
 *   `length`: the most characters that are written; -1: no limit
 * @throws CharnnError `INVALID_SETTING` for an expression that can't be used
 */
export function matchRule(
  source: string,
  vocabulary: Vocabulary,
  { lines, length }: { readonly lines?: number | undefined; readonly length: number },
): Rule {
  const newline = lines === undefined ? undefined : vocabulary.indexOf(NEWLINE);
  const ends = [newline, vocabulary.documentEnd].filter((it) => it !== undefined);
  const automaton = new Automaton(source, vocabulary, ends);
  if (automaton.shortest === NEVER) {
    const why = "nothing that the model's characters can spell matches it.";
    throw cannotMatch(why, withoutSlashes(source));
  }
  const most = length === -1 ? Number.POSITIVE_INFINITY : length;
  return {
    setting: `\`match: ${JSON.stringify(shortened(source))}\``,
    begin(prompt) {
      let place = placeAfter(prompt, automaton, vocabulary, lines !== undefined);
      if (!place.isMatch && nearest(place) >= most) {
        const needed = nearest(place) + 1;
        throw cannotMatch(`it needs ${needed} characters, and ${most} are to be written.`);
      }
      let lineBreaks = 0;
      return {
        forbid(forbidden, left) {
          const { distances, isMatch } = place;
          if (newline === undefined && isMatch) return;
          // The last one ends the text, and is not written; after another there must be room for a line.
          const mayEndLine = isMatch && (lineBreaks + 1 === lines || automaton.shortest < left);
          for (let token = 0; token < distances.length; token++) {
            const isPossible = token === newline ? mayEndLine : isInTime(distances[token], left);
            if (!isPossible) forbidden[token] = 1;
          }
        },
        wrote(token) {
          if (token === newline) {
            lineBreaks++;
            place = automaton.start;
          } else {
            place = automaton.after(place, token) as Place;
          }
        },
        endsBefore: (token, left) =>
          newline === undefined && place.isMatch && !isInTime(place.distances[token], left),
        isComplete: () =>
          newline === undefined && place.isMatch && place.distances.every((it) => it === NEVER),
      };
    },
  };
}

/** What to give in place of an expression in slashes, as in a program. */
function withoutSlashes(source: string): string | undefined {
  const [, inside, flags] = /^\/(.+)\/([a-z]*)$/s.exec(source) ?? [];
  if (inside === undefined) return undefined;
  const meant = flags.includes("i") ? `(?i:${inside})` : inside;
  return `Leave out the slashes: \`match: ${JSON.stringify(meant)}\`.`;
}

function placeAfter(
  { text }: Prompt,
  automaton: Automaton,
  vocabulary: Vocabulary,
  byLine: boolean,
): Place {
  const begun = byLine ? text.slice(text.lastIndexOf("\n") + 1) : text;
  let place: Place | undefined = automaton.start;
  for (const character of begun) {
    const token = vocabulary.indexOf(character.codePointAt(0) as number);
    place = token === undefined ? undefined : automaton.after(place, token);
    if (!place) {
      const part = byLine ? "the last line of the prompt" : "the prompt";
      throw cannotMatch(
        `no match begins with ${part}, ${JSON.stringify(shortened(begun))}.`,
        "The prompt is part of what has to match.",
      );
    }
  }
  return place;
}

/** Whether a match that takes this many characters after the next one is complete in time. */
function isInTime(distance: number, left: number): boolean {
  // Without a limit there is an infinite number of them left.
  return distance !== NEVER && distance < left;
}

/** Characters that a match takes after the next one, at the least. */
function nearest({ distances }: Place): number {
  return distances.reduce((least, distance) => Math.min(least, distance), NEVER);
}

function cannotMatch(why: string, hint?: string): CharnnError {
  return new CharnnError("INVALID_SETTING", `match can't be met: ${why}`, hint, {
    setting: "match",
  });
}
