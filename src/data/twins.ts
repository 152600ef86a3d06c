/** What can be written in place of a character that a model does not know. */

/** A text that stands for a character. */
export interface Twin {
  readonly text: string;
  /** How it differs, where that is not plain: `without its accent`. */
  readonly difference?: string;
}

/** The quotes, dashes or spaces of a line stand for one another: which is used is a matter of typography. */
const VARIANTS = [
  "'\u2018\u2019\u201a\u201b\u02bc",
  '"\u201c\u201d\u201e\u201f\u00ab\u00bb',
  "-\u2010\u2011",
  "\u2013\u2014\u2015",
  " \u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
];

/** Others for which the one on the right is typed. */
const TYPED: Readonly<Record<string, string>> = {
  "\u2013": "-",
  "\u2014": "-",
  "\u2015": "-",
  "\u2212": "-",
  "\r": "\n",
  "\u0085": "\n",
  "\u2028": "\n",
  "\u2029": "\n",
};

/** Ellipsis, ligatures, and the wide and narrow forms of characters: the same text in another shape. */
const SHAPES = /[\u2026\ufb00-\ufb06\uff01-\uffee]/;
/** From a character that is typed to its wide form, as Chinese and Japanese texts have it. */
const TO_WIDE = 0xff01 - 0x21;

/** The most similar first. They are to be offered only where a model knows all of their characters. */
export function twinsOf(codePoint: number): Twin[] {
  const character = String.fromCodePoint(codePoint);
  const composed = character.normalize("NFC");
  const decomposed = character.normalize("NFD");
  const shape = SHAPES.test(character) ? [character.normalize("NFKC")] : [];
  const wide =
    codePoint > 0x20 && codePoint < 0x7f ? [String.fromCodePoint(codePoint + TO_WIDE)] : [];
  const variants = VARIANTS.find((line) => line.includes(character)) ?? "";
  const twins: Twin[] = [
    ...otherCase(character).map((text) => ({ text })),
    { text: composed },
    { text: decomposed, difference: "with its accent apart" },
    ...[...shape, ...variants, ...(TYPED[character] ?? [])].map((text) => ({ text })),
    ...wide.map((text) => ({ text, difference: "its wide form" })),
    ...withoutAccent(decomposed).map((text) => ({ text, difference: "without its accent" })),
  ];
  const texts = twins.map(({ text }) => text);
  return twins.filter(({ text }, index) => text !== character && texts.indexOf(text) === index);
}

/** The single character for a letter and the accent after it; undefined where there is none. */
export function composedOf(letter: number, accent: number): string | undefined {
  const composed = String.fromCodePoint(letter, accent).normalize("NFC");
  return [...composed].length === 1 ? composed : undefined;
}

/** Whether a character stands on the one before it, as an accent of its own does. */
export function isAccent(codePoint: number): boolean {
  return /\p{M}/u.test(String.fromCodePoint(codePoint));
}

/** Whether a character is a part of what the one before it begins: an accent, or the rest of a Korean syllable. */
export function joinsPrevious(codePoint: number): boolean {
  return isAccent(codePoint) || (codePoint >= 0x1160 && codePoint <= 0x11ff);
}

/** Whether a letter is of a script in which leaving out accents is usual. */
export function canLackAccent(letter: string): boolean {
  return /^[\p{Script=Latin}\p{Script=Greek}]/u.test(letter);
}

/** Its other case, where going there and back leads to the same character. */
function otherCase(character: string): string[] {
  const [lower, upper] = [character.toLowerCase(), character.toUpperCase()];
  if (lower !== character) return lower.toUpperCase() === character ? [lower] : [];
  return upper !== character && upper.toLowerCase() === character ? [upper] : [];
}

/** The bare letter, in both cases. */
function withoutAccent(decomposed: string): string[] {
  const [letter, ...accents] = decomposed;
  const isBare = accents.length > 0 && accents.every((it) => /\p{M}/u.test(it));
  if (!isBare || !canLackAccent(letter)) return [];
  return [letter, ...otherCase(letter)];
}
