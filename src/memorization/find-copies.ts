import { lastAtMost } from "../arrays.js";
import { COPIES, COPIES_DEFAULTS, type CopiesSettings } from "../config/copies.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { encodingName } from "../data/decoding.js";
import { readCharacters } from "../data/reading.js";
import { checkNames, findSources, type Source } from "../data/sources.js";
import { TextRewriter } from "../data/text-rewriter.js";
import { type NamedText, readTexts } from "../data/texts.js";
import { CharnnError } from "../errors.js";
import { refuseTooLarge } from "../memory.js";
import { formatCount, NEWLINE } from "../text.js";
import { inTurns } from "../turns.js";
import { type SharedPassage, SharedPassageFinder } from "./shared-passages.js";

const copiesSettingsSchema = settingsSchema<CopiesSettings>(COPIES, ["sample", "files"]);

/** A position in a text. Lines and columns are counted from 1, in characters. */
interface LineAndColumn {
  readonly line: number;
  readonly column: number;
}

/** A passage of a sample that the training text has too, word for word, and that can't be made longer on either side. */
export interface Copy {
  /** Where it begins in the sample, in characters from 0. */
  readonly start: number;
  readonly length: number;
  readonly text: string;
  readonly inSample: LineAndColumn;
  /** One of its occurrences in the training text. */
  readonly inText: LineAndColumn & { readonly file: string };
}

/** What of a sample was copied. */
export interface Copies {
  /** Of the sample. */
  readonly characters: number;
  /** The first of the longest shared passages, of any length; undefined where nothing at all is shared. */
  readonly longest: Copy | undefined;
  /** Passages of this many characters or more are copies. */
  readonly atLeast: number;
  /** All copies, in order. They may overlap, but none is part of another. */
  readonly copies: readonly Copy[];
  /** Characters that are in one copy at least, and their fraction of the sample. */
  readonly copied: number;
  readonly share: number;
}

/** For the index of the sample. */
const BYTES_PER_CHARACTER = 150;
const MAX_SAMPLE_LENGTH = 10_000_000;
const CODE_POINTS = 0x11_0000;
const CARRIAGE_RETURN = 0x0d;

/**
 * Finds what a sample shares with a training text, which may be much larger than memory.
 *
 * @throws CharnnError for what can't be read, and `BAD_TEXT` for a sample that is empty or too long; the
 *   reason of the signal once it is aborted
 */
export async function findCopies(
  settings: CopiesSettings,
  options: {
    readonly signal?: AbortSignal;
    readonly stdin?: AsyncIterable<Uint8Array>;
    readonly onWarning?: (message: string) => void;
  } = {},
): Promise<Copies> {
  const { sample: file, files, ...given } = checked(copiesSettingsSchema, settings);
  const { encoding, invalid, atLeast, out, normalize, lowercase } = {
    ...COPIES_DEFAULTS,
    ...definedOnly(given),
  };
  await checkNames([file, ...files]);
  if (files.length === 0) {
    throw new CharnnError(
      "INVALID_SETTING",
      "No training text is given.",
      "Name files or folders.",
    );
  }
  const rewriting = { normalize, lowercase };
  const { texts, warnings } = await readTexts(
    [file],
    { encoding, invalid, rewriting, joined: true },
    options,
  );
  const sample = texts[0];
  refuseUnfit(sample);
  const { signal } = options;
  const finder = await inTurns(SharedPassageFinder.of(sample.numbers), signal);
  const symbolOf = new Int32Array(CODE_POINTS).fill(-1);
  for (const [number, codePoint] of sample.codePoints.entries()) symbolOf[codePoint] = number;

  const name = encodingName(encoding);
  const found = await findSources(files, { encoding: name, leftOut: [out] }, options);
  const text = new TextPositions();
  // A model that read every line end as a newline writes no others.
  const lineEnds = sample.codePoints.includes(CARRIAGE_RETURN) ? "keep" : "lf";
  const rewriter = TextRewriter.for(rewriting);
  const reading = { encoding: name, invalid, lineEnds, rewriter, signal } as const;
  const textWarnings = await readCharacters(found.sources, reading, (codePoints, source) => {
    finder.read(codePoints, symbolOf);
    text.read(codePoints, source);
  });
  for (const warning of [...warnings, ...found.warnings, ...textWarnings])
    options.onWarning?.(warning);
  return copiesOf(sample, await inTurns(finder.passages(), signal), text, atLeast);
}

/** Knows where the files and the lines of a text begin. */
class TextPositions {
  readonly #lines = new LineStarts();
  readonly #files: { readonly source: Source; readonly start: number }[] = [];

  read(codePoints: Int32Array, source: Source): void {
    if (this.#files.at(-1)?.source !== source) {
      // The newline that joins a file to the one before belongs to neither.
      const joint = this.#files.length > 0 && codePoints.length === 1 && codePoints[0] === NEWLINE;
      this.#files.push({ source, start: this.#lines.length + Number(joint) });
    }
    this.#lines.read(codePoints);
  }

  at(position: number): Copy["inText"] {
    const { source, start } = this.#files.findLast((it) => it.start <= position) ?? this.#files[0];
    const { line, column } = this.#lines.lineAndColumn(position);
    return { file: source.path, line: line - this.#lines.lineAndColumn(start).line + 1, column };
  }
}

function copiesOf(
  { numbers, codePoints }: NamedText,
  passages: readonly SharedPassage[],
  text: TextPositions,
  atLeast: number,
): Copies {
  const lines = new LineStarts();
  lines.read(Int32Array.from(numbers, (number) => codePoints[number]));
  const copyOf = ({ start, length, inText }: SharedPassage): Copy => ({
    start,
    length,
    text: Array.from(numbers.subarray(start, start + length), (number) =>
      String.fromCodePoint(codePoints[number]),
    ).join(""),
    inSample: lines.lineAndColumn(start),
    inText: text.at(inText),
  });
  const copies = passages.filter(({ length }) => length >= atLeast);
  let longest: SharedPassage | undefined;
  for (const passage of passages) if (passage.length > (longest?.length ?? 0)) longest = passage;
  let [copied, end] = [0, 0];
  for (const { start, length } of copies) {
    copied += start + length - Math.max(start, end);
    end = start + length;
  }
  return {
    characters: numbers.length,
    longest: longest && copyOf(longest),
    atLeast,
    copies: copies.map(copyOf),
    copied,
    share: copied / numbers.length,
  };
}

function refuseUnfit({ name, numbers }: NamedText): void {
  if (numbers.length === 0) {
    throw new CharnnError("BAD_TEXT", `The sample (${name}) is empty.`, "Give one with some text.");
  }
  if (numbers.length > MAX_SAMPLE_LENGTH) {
    throw new CharnnError(
      "BAD_TEXT",
      `The sample (${name}) has ${formatCount(numbers.length)} characters: it is too long to be indexed.`,
      `Give up to ${formatCount(MAX_SAMPLE_LENGTH)}, in parts; the training text may be of any length.`,
    );
  }
  refuseTooLarge({
    what: `Indexing a sample of ${formatCount(numbers.length)} characters`,
    bytes: BYTES_PER_CHARACTER * numbers.length,
    hint(left) {
      const most = Math.floor((0.9 * left) / BYTES_PER_CHARACTER);
      return `Give up to ${formatCount(most)} characters, in parts.`;
    },
  });
}

/** Notes where lines begin in a text that is given piece by piece. */
class LineStarts {
  #starts = new Float64Array(1_024);
  #lines = 1;
  #length = 0;

  /** Characters so far. */
  get length(): number {
    return this.#length;
  }

  read(codePoints: Int32Array): void {
    for (let i = 0; i < codePoints.length; i++) {
      if (codePoints[i] === NEWLINE) this.#add(this.#length + i + 1);
    }
    this.#length += codePoints.length;
  }

  /** Line and column of a position, from 1. */
  lineAndColumn(position: number): { line: number; column: number } {
    const line = lastAtMost(this.#starts.subarray(0, this.#lines), position);
    return { line: line + 1, column: position - this.#starts[line] + 1 };
  }

  #add(start: number): void {
    if (this.#lines === this.#starts.length) {
      const larger = new Float64Array(2 * this.#lines);
      larger.set(this.#starts);
      this.#starts = larger;
    }
    this.#starts[this.#lines++] = start;
  }
}
