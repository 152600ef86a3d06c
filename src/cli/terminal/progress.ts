import cliProgress, { type MultiBar, type SingleBar } from "cli-progress";
import { type Piece, shownLine } from "./styled.js";
import type { Terminal } from "./terminal.js";

const CLEAR_LINE = "\r\u001b[K";
const SHOW_CURSOR = "\u001b[?25h";
const HIDE_CURSOR = "\u001b[?25l";

/** A progress bar on standard error with lines above it; without a terminal, the lines alone. */
export interface Progress {
  /** @param total undefined where nobody knows it: no bar is drawn, but the facts are */
  start(total: number | undefined, done: number): void;
  /** `facts` stand beside the bar, as many as have room. */
  update(done: number, facts: readonly string[]): void;
  /** Takes another total in place of the one at the start. */
  changeTotal(total: number): void;
  say(...pieces: readonly Piece[]): void;
  stop(): void;
}

export function createProgress(terminal: Terminal): Progress {
  let bars: MultiBar | undefined;
  let bar: SingleBar | undefined;
  let unsuspend = () => {};
  return {
    start(total, done) {
      if (!terminal.isInteractive) return;
      // cli-progress keeps the time of redrawing, and the bar below what is said; `barLine` draws it.
      bars = new cliProgress.MultiBar({
        format: (_options, { progress }, { facts }) => barLine(total && progress, facts, terminal),
        // Signals are the command's own affair.
        gracefulExit: false,
        hideCursor: true,
        clearOnComplete: true,
        fps: 5,
        stream: terminal.stderr,
        // Lines above the bar may be longer than the terminal is wide.
        linewrap: true,
      });
      bar = bars.create(total ?? 0, done, { facts: [] });
      unsuspend = atSuspension(
        () => terminal.stderr.write(`${CLEAR_LINE}${SHOW_CURSOR}`),
        () => {
          terminal.stderr.write(HIDE_CURSOR);
          bars?.update();
        },
      );
    },
    changeTotal(total) {
      bar?.setTotal(total);
    },
    update(done, facts) {
      bar?.update(done, { facts: facts.map((fact) => shownLine([fact])) });
    },
    say(...pieces) {
      if (!bars) {
        terminal.say(...pieces);
        return;
      }
      bars.log(`${shownLine(pieces)}\n`);
      // At once, so that the line stands before whatever is written next.
      bars.update();
    },
    stop() {
      unsuspend();
      bars?.stop();
      bars = undefined;
      bar = undefined;
    },
  };
}

/** One line that is shorter than the terminal is wide, so that it can be drawn over. */
function barLine(
  fraction: number | undefined,
  facts: readonly string[],
  { stderr, marks }: Terminal,
): string {
  const width = stderr.columns ?? 80;
  const [done, left] = marks.bar;
  const length = Math.min(Math.max(Math.floor(width / 6), 4), 20);
  let line = "";
  if (fraction !== undefined) {
    const full = Math.round(fraction * length);
    line = `${done.repeat(full)}${left.repeat(length - full)} ${Math.floor(100 * fraction)}%  `;
  }
  for (const [k, fact] of facts.entries()) {
    const longer = `${line}${k === 0 ? "" : ", "}${fact}`;
    if (longer.length >= width) break;
    line = longer;
  }
  return line;
}

/**
 * Leaves the terminal as it was while Ctrl-Z stops the process, and comes back when it goes on.
 *
 * @returns lets Ctrl-Z be what it was
 */
function atSuspension(leave: () => void, comeBack: () => void): () => void {
  if (process.platform === "win32") return () => {};
  const stop = () => {
    leave();
    // With no handler the signal stops the process, unless nobody is there to let it go on.
    process.off("SIGTSTP", stop);
    process.kill(process.pid, "SIGTSTP");
    process.on("SIGTSTP", stop);
    comeBack();
  };
  process.on("SIGTSTP", stop);
  // By other signals a process stops unasked.
  process.on("SIGCONT", comeBack);
  return () => {
    process.off("SIGTSTP", stop);
    process.off("SIGCONT", comeBack);
  };
}
