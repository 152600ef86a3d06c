import { CharacterMapper } from "./character-mapper.js";
import { Clusters, type Stage, type Take } from "./stages.js";
import { describeMapping } from "./unknown-characters.js";
import type { Vocabulary } from "./vocabulary.js";

/** Puts others in place of the characters that a vocabulary lacks, as far as there are any. */
export class Mapping implements Stage {
  /** How many characters that the vocabulary lacks were replaced. */
  mapped = 0;
  readonly #mapper: CharacterMapper;
  readonly #mappings = new Map<string, string>();
  readonly #clusters: Clusters;

  /**
   * @param take gets what becomes of the text. What stands for a letter and its accents is where the letter is.
   *   Characters that nothing stands for stay.
   * @param onMapped gets the position of each character that the vocabulary lacks, before what becomes of it
   */
  constructor(
    readonly vocabulary: Vocabulary,
    readonly take: Take,
    readonly onMapped: (position: number) => void = () => {},
  ) {
    this.#mapper = new CharacterMapper(vocabulary);
    this.#clusters = new Clusters((codePoints, positions) => this.#map(codePoints, positions));
  }

  readonly push: Take = (codePoint, position) => this.#clusters.push(codePoint, position);

  endFile(): void {
    this.#clusters.endFile();
  }

  /** By what characters were replaced, each once, for a message: `"é" as "e"`. */
  get mappings(): string[] {
    return [...this.#mappings.values()];
  }

  #map(codePoints: readonly number[], positions: readonly number[]): void {
    let lacking = 0;
    for (const [k, codePoint] of codePoints.entries()) {
      if (this.vocabulary.indexOf(codePoint) !== undefined) continue;
      lacking++;
      this.onMapped(positions[k]);
    }
    if (lacking === 0) {
      for (const [k, codePoint] of codePoints.entries()) this.take(codePoint, positions[k]);
      return;
    }
    let cluster = "";
    for (const codePoint of codePoints) cluster += String.fromCodePoint(codePoint);
    const { text, unmapped } = this.#mapper.replace(cluster);
    if (lacking > unmapped) {
      this.mapped += lacking - unmapped;
      if (!this.#mappings.has(cluster)) this.#mappings.set(cluster, describeMapping(cluster, text));
    }
    for (const character of text) this.take(character.codePointAt(0) as number, positions[0]);
  }
}
