import { type Normalization, Normalizer } from "./normalizer.js";
import { PieceReader } from "./piece-reader.js";
import type { Stage } from "./stages.js";

/** What becomes of a text before a model reads it. */
export interface RewritingSettings extends Normalization {
  /** Into which documents it is divided; all but `"lines"` get marks at their ends. */
  readonly documents?: string | undefined;
}

/** The steps in which a text is rewritten. */
export interface Rewriting {
  /** The first one, which takes the text. */
  readonly first: Stage;
  /** The one that divides it. */
  readonly pieces: PieceReader | undefined;
}

/**
 * The steps in which a text is rewritten, before the one that takes what becomes of it; undefined where the text
 * stays as it is.
 */
export function rewritingFor(settings: RewritingSettings, last: Stage): Rewriting | undefined {
  const { normalize, lowercase, documents } = settings;
  const hasMarks = documents !== undefined && documents !== "lines";
  const pieces = hasMarks ? new PieceReader(documents, last.push) : undefined;
  const second = pieces ? chain(pieces, last) : last;
  if (!normalize && !lowercase) return pieces && { first: second, pieces };
  const normalizer = new Normalizer({ normalize, lowercase }, second.push);
  return { first: chain(normalizer, second), pieces };
}

/** A step that hands on to another, as one. */
function chain(first: Stage, second: Stage): Stage {
  return {
    push: first.push,
    endFile(position) {
      first.endFile(position);
      second.endFile(position);
    },
  };
}

/** Rewrites a text that comes in chunks. */
export class TextRewriter {
  readonly #steps: Rewriting | undefined;
  #rewritten = new Int32Array(0);
  #length = 0;

  /** Where a text stays as it is there is none. */
  static for(settings: RewritingSettings): TextRewriter | undefined {
    const rewriter = new TextRewriter(settings);
    return rewriter.#steps && rewriter;
  }

  private constructor(settings: RewritingSettings) {
    this.#steps = rewritingFor(settings, { push: (it) => this.#add(it), endFile() {} });
  }

  /** Whether there was what parts documents, so far. */
  get hasSeparator(): boolean {
    return this.#steps?.pieces?.hasSeparator ?? false;
  }

  /** @returns what becomes of the characters, and of those held back before; used again by the next call */
  rewrite(codePoints: Int32Array): Int32Array {
    this.#length = 0;
    for (const codePoint of codePoints) this.#steps?.first.push(codePoint, 0);
    return this.#rewritten.subarray(0, this.#length);
  }

  /** @returns what was held back at the end of a file */
  endFile(): Int32Array {
    this.#length = 0;
    this.#steps?.first.endFile(0);
    return this.#rewritten.subarray(0, this.#length);
  }

  #add(codePoint: number): void {
    if (this.#length === this.#rewritten.length) {
      const larger = new Int32Array(2 * this.#length + 1024);
      larger.set(this.#rewritten);
      this.#rewritten = larger;
    }
    this.#rewritten[this.#length++] = codePoint;
  }
}
