const MILLISECONDS_BETWEEN = 100;
const CLEARED = "\r\x1b[K";
/** What a terminal must not get: names are tried that would turn its line round. */
const NOT_SHOWN = /[^\x20-\x7e]/g;

/** The line of a terminal that says what is being tried. A file or a pipe gets none. */
export class ProgressLine {
  #drawnAt = Number.NEGATIVE_INFINITY;
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show(text: string): void {
    const now = performance.now();
    if (!this.#stream.isTTY || now - this.#drawnAt < MILLISECONDS_BETWEEN) return;
    this.#drawnAt = now;
    const line = text.replace(NOT_SHOWN, "?").slice(0, this.#stream.columns - 1);
    this.#stream.write(`${CLEARED}${line}`);
  }

  /** Writes lines that stay. */
  say(text: string): void {
    const [before, safe] = this.#stream.isTTY
      ? [CLEARED, text.replace(/[^\x20-\x7e\n]/g, "?")]
      : ["", text];
    this.#drawnAt = Number.NEGATIVE_INFINITY;
    this.#stream.write(`${before}${safe}\n`);
  }
}
