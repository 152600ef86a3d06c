import type { Vocabulary } from "../../data/vocabulary.js";
import { CharnnError } from "../../errors.js";
import type { Prompt, Rule } from "./rule.js";
import { type Role, roleOf, WordList } from "./word-list.js";

/** Where a text is: outside of words, in one of the list, or in one that the prompt began and the list lacks. */
type Position =
  | { readonly at: "outside" }
  | { readonly at: "unknown word" }
  | { readonly at: "word"; readonly node: number }
  /** After the apostrophe behind a word: a letter goes on with the word, anything else ends it. */
  | { readonly at: "joiner"; readonly node: number | undefined; readonly endsWord: boolean };

const OUTSIDE: Position = { at: "outside" };

/**
 * Only words of a list are written, spelled as there; what stands between them is left to the model. A word
 * that the prompt has begun is completed to one of the list, or freely where none begins so.
 */
export function wordRule(words: WordList, vocabulary: Vocabulary): Rule {
  if (words.isEmpty) {
    throw new CharnnError(
      "INVALID_SETTING",
      "words can't be used: the text has no word that the model's characters can spell.",
      undefined,
      { setting: "words" },
    );
  }
  const codePoints = [...vocabulary.codePoints()];
  const roles = codePoints.map(roleOf);
  const letters = tokensOf(roles, "letter");
  const joiners = tokensOf(roles, "joiner");
  const others = tokensOf(roles, "other");
  const mark = (tokens: readonly number[], forbidden: Uint8Array) => {
    for (const token of tokens) forbidden[token] = 1;
  };
  return {
    setting: "`words`",
    begin(prompt) {
      let position = positionAfter(prompt, words);
      /** What {@link forbid} forbids among the letters and joiners. */
      const refused = new Uint8Array(vocabulary.size);
      const allowChildren = (node: number, left: number) =>
        words.forEachChild(node, (codePoint, child) => {
          if (words.shortest(child) < left) refused[vocabulary.indexOf(codePoint) as number] = 0;
        });
      return {
        forbid(forbidden, left) {
          if (position.at === "unknown word") return;
          refused.fill(0);
          mark(letters, refused);
          if (position.at === "outside") {
            allowChildren(WordList.ROOT, left);
          } else if (position.at === "word") {
            mark(joiners, refused);
            const isWord = words.shortest(position.node) === 0;
            if (isWord) for (const token of joiners) refused[token] = 0;
            else mark(others, refused);
            allowChildren(position.node, left);
          } else {
            if (!position.endsWord) mark([...joiners, ...others], refused);
            if (position.node !== undefined) allowChildren(position.node, left);
          }
          for (let token = 0; token < refused.length; token++) forbidden[token] |= refused[token];
        },
        wrote(token) {
          position = next(position, codePoints[token], roles[token], words);
        },
      };
    },
  };
}

function tokensOf(roles: readonly Role[], role: Role): number[] {
  return [...roles.keys()].filter((token) => roles[token] === role);
}

function next(position: Position, codePoint: number, role: Role, words: WordList): Position {
  if (role === "other") return OUTSIDE;
  if (position.at === "unknown word") {
    return role === "joiner" ? { at: "joiner", node: undefined, endsWord: true } : position;
  }
  if (role === "joiner") {
    if (position.at !== "word") return OUTSIDE;
    const node = words.child(position.node, codePoint);
    return { at: "joiner", node, endsWord: words.shortest(position.node) === 0 };
  }
  const from = position.at === "outside" ? WordList.ROOT : position.node;
  const node = from === undefined ? undefined : words.child(from, codePoint);
  return node === undefined ? { at: "unknown word" } : { at: "word", node };
}

function positionAfter({ text }: Prompt, words: WordList): Position {
  let position = OUTSIDE;
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    position = next(position, codePoint, roleOf(codePoint), words);
  }
  return position;
}
