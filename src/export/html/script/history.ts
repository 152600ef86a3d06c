/** A text, and where the caret was in it. */
export interface Version {
  readonly text: string;
  readonly caret: number;
}

/** What a change was: several of a kind in a row are undone together. */
export type Change = "typed" | "taken" | "written";

const MAX_VERSIONS = 500;
/** Milliseconds after which what is typed is undone by itself. */
const PAUSE = 1_500;

/** The versions of a text, for undoing what was typed, taken and written. */
export class History {
  #past: Version[] = [];
  #future: Version[] = [];
  #last: { readonly change: Change; readonly time: number } | undefined;

  /** Keeps the version before a change. */
  keep(version: Version, change: Change): void {
    const time = performance.now();
    const goesOn =
      change !== "written" && this.#last?.change === change && time - this.#last.time < PAUSE;
    this.#last = { change, time };
    this.#future = [];
    if (goesOn) return;
    this.#past.push(version);
    if (this.#past.length > MAX_VERSIONS) this.#past.shift();
  }

  /** The version before; undefined where there is none. */
  undo(now: Version): Version | undefined {
    return this.#move(this.#past, this.#future, now);
  }

  redo(now: Version): Version | undefined {
    return this.#move(this.#future, this.#past, now);
  }

  #move(from: Version[], to: Version[], now: Version): Version | undefined {
    const version = from.pop();
    if (version) to.push(now);
    this.#last = undefined;
    return version;
  }
}
