import { canLackAccent, isAccent, twinsOf } from "./twins.js";
import type { Vocabulary } from "./vocabulary.js";

/** Different pieces that are kept with what stands for them: more than any language needs. */
const MAX_KEPT = 1 << 16;

/** What a vocabulary has in place of a piece of text. */
interface Replacement {
  readonly text: string;
  /** How many characters of it are not known, since nothing stands for them. */
  readonly unmapped: number;
}

/**
 * Finds what stands for characters that a vocabulary lacks: the other normal form of a letter and its accents,
 * another of a few forms that differ in typography or case, or a letter without its accent.
 */
export class CharacterMapper {
  readonly #kept = new Map<string, Replacement>();

  constructor(readonly vocabulary: Vocabulary) {}

  /**
   * @param piece a character with the accents that follow it, or CR LF, not all of it known. A character by
   *   itself that nothing stands for stays as it is.
   */
  replace(piece: string): Replacement {
    const kept = this.#kept.get(piece);
    if (kept) return kept;
    const replacement = this.#find(piece);
    if (this.#kept.size < MAX_KEPT) this.#kept.set(piece, replacement);
    return replacement;
  }

  #find(piece: string): Replacement {
    const composed = piece === "\r\n" ? "\n" : piece.normalize("NFC");
    for (const text of [composed, piece.normalize("NFD")]) {
      if (this.#knows(text)) return { text, unmapped: 0 };
    }
    let text = "";
    let unmapped = 0;
    for (const character of composed) {
      const codePoint = character.codePointAt(0) as number;
      if (this.#knows(character)) text += character;
      else if (text === "" || !isAccent(codePoint) || !canLackAccent(composed)) {
        const twin = twinsOf(codePoint).find((it) => this.#knows(it.text));
        text += twin?.text ?? character;
        if (!twin) unmapped++;
      }
    }
    return { text, unmapped };
  }

  #knows(text: string): boolean {
    return Array.from(text, (it) => it.codePointAt(0) as number).every(
      (codePoint) => this.vocabulary.indexOf(codePoint) !== undefined,
    );
  }
}
