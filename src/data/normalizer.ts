import { Clusters, type Stage, type Take } from "./stages.js";

/** The normal forms of Unicode. */
type NormalForm = "nfc" | "nfd" | "nfkc" | "nfkd";

/** How characters are changed before a model reads them. */
export interface Normalization {
  /** The normal form that the text is brought into; its own when left out. */
  readonly normalize?: NormalForm | undefined;
  /** Whether capital letters are read as small ones. */
  readonly lowercase?: boolean | undefined;
}

const [CAPITAL_SIGMA, FINAL_SIGMA] = [0x3a3, 0x3c2];
const FIRST_BEYOND_ASCII = 0x80;
const [CAPITAL_A, CAPITAL_Z, TO_SMALL] = [0x41, 0x5a, 0x20];

/** Brings a text into a normal form, letter by letter with its accents, and into small letters. */
export class Normalizer implements Stage {
  readonly #clusters: Clusters;
  readonly #replaced = new Map<number, readonly number[]>();
  /** A sigma, which is written in another way at the end of a word: before it is known whether it is there. */
  #sigma: { readonly position: number } | undefined;
  #isAfterLetter = false;

  constructor(
    readonly settings: Normalization,
    readonly take: Take,
  ) {
    this.#clusters = new Clusters((codePoints, positions) => {
      if (settings.lowercase) this.#lower(codePoints, positions[0]);
      else this.#replace(codePoints, positions[0]);
    });
  }

  readonly push: Take = (codePoint, position) => this.#clusters.push(codePoint, position);

  endFile(): void {
    this.#clusters.endFile();
    this.#passSigma(false);
    this.#isAfterLetter = false;
  }

  #lower(codePoints: readonly number[], position: number): void {
    const isLetter = isLetterAt(codePoints[0]);
    this.#passSigma(isLetter);
    const isSigma = codePoints[0] === CAPITAL_SIGMA && codePoints.length === 1;
    if (isSigma && this.#isAfterLetter) this.#sigma = { position };
    else this.#replace(codePoints, position);
    this.#isAfterLetter = isLetter;
  }

  #passSigma(isBeforeLetter: boolean): void {
    if (!this.#sigma) return;
    const { position } = this.#sigma;
    this.#sigma = undefined;
    if (isBeforeLetter) this.#replace([CAPITAL_SIGMA], position);
    else this.take(FINAL_SIGMA, position);
  }

  #replace(codePoints: readonly number[], position: number): void {
    const [first] = codePoints;
    if (codePoints.length > 1) {
      for (const codePoint of this.#normalized(codePoints)) this.take(codePoint, position);
    } else if (first < FIRST_BEYOND_ASCII) {
      const isCapital = first >= CAPITAL_A && first <= CAPITAL_Z && this.settings.lowercase;
      this.take(isCapital ? first + TO_SMALL : first, position);
    } else {
      let replaced = this.#replaced.get(first);
      if (!replaced) {
        replaced = this.#normalized(codePoints);
        this.#replaced.set(first, replaced);
      }
      for (const codePoint of replaced) this.take(codePoint, position);
    }
  }

  #normalized(codePoints: readonly number[]): number[] {
    const { normalize, lowercase } = this.settings;
    let text = "";
    for (const codePoint of codePoints) text += String.fromCodePoint(codePoint);
    if (lowercase) text = text.toLowerCase();
    if (normalize) text = text.normalize(normalize.toUpperCase());
    return Array.from(text, (it) => it.codePointAt(0) as number);
  }
}

function isLetterAt(codePoint: number): boolean {
  if (codePoint < FIRST_BEYOND_ASCII) {
    const small = codePoint | TO_SMALL;
    return small >= (CAPITAL_A | TO_SMALL) && small <= (CAPITAL_Z | TO_SMALL);
  }
  return /\p{Cased}/u.test(String.fromCodePoint(codePoint));
}
