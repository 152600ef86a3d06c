import { encodingName, type Invalid } from "./decoding.js";
import { type LineEnds, readCharacters } from "./reading.js";
import {
  checkNames,
  estimateLength,
  findSources,
  type ReadOptions,
  type Source,
} from "./sources.js";
import { type NumberedText, TextBuilder } from "./text-builder.js";
import { type RewritingSettings, TextRewriter } from "./text-rewriter.js";

/** A text to look at with vocabularies that already exist. */
export interface NamedText extends NumberedText {
  /** The path of its file, or `-`; where it was read from several, the first and how many more. */
  readonly name: string;
  /** Where in it each file begins. */
  readonly starts: readonly { readonly source: Source; readonly start: number }[];
}

/** How to read texts. */
export interface TextSettings {
  /** `"utf-8"`, or any label that `TextDecoder` knows. */
  readonly encoding: string;
  /** What to do with bytes that are wrong in it: `"error"` when left out. */
  readonly invalid?: Invalid | undefined;
  /** Whether U+FFFD can be read, so that errors may advise `"replace"`. `true` when left out. */
  readonly canReplace?: boolean | undefined;
  /** `"lf"`: CR LF and CR by themselves are read as newlines. `"keep"` when left out. */
  readonly lineEnds?: LineEnds | undefined;
  /**
   * What becomes of them before a model reads them, as its config says. Undefined where no model does, and where
   * `knownPart` is to rewrite them, which keeps the places that characters come from.
   */
  readonly rewriting: RewritingSettings | undefined;
  /** Whether all are one text, joined as `loadCorpus` does it; else each file is a separate one. */
  readonly joined: boolean;
  /** Folders to leave out of a folder around them: those of runs. */
  readonly leftOut?: readonly string[] | undefined;
}

/**
 * Reads texts that no model is trained on.
 *
 * @param files files, folders, and `-` for the standard input
 * @throws CharnnError as `loadCorpus` does, and the signal's reason
 */
export async function readTexts(
  files: readonly string[],
  { encoding: label, rewriting, joined, leftOut, ...how }: TextSettings,
  options: ReadOptions = {},
): Promise<{ readonly texts: readonly NamedText[]; readonly warnings: readonly string[] }> {
  await checkNames(files);
  const encoding = encodingName(label);
  const { signal } = options;
  const found = await findSources(files, { encoding, leftOut }, options);
  const warnings = [...found.warnings];
  const rewriter = rewriting && TextRewriter.for(rewriting);
  const reading = { ...how, encoding, rewriter, signal };
  const texts: NamedText[] = [];
  for (const group of joined ? [found.sources] : found.sources.map((source) => [source])) {
    const builder = new TextBuilder(estimateLength(group));
    const starts: { source: Source; start: number }[] = [];
    const ownWarnings = await readCharacters(group, reading, (codePoints, source) => {
      if (starts.at(-1)?.source !== source) starts.push({ source, start: builder.length });
      builder.append(codePoints);
    });
    for (const warning of ownWarnings) warnings.push(warning);
    texts.push({ ...builder.finish(), name: nameOf(group), starts });
  }
  return { texts, warnings };
}

function nameOf([first, ...more]: readonly Source[]): string {
  return more.length === 0 ? first.path : `${first.path} and ${more.length} more`;
}
