import { clearScreenDown } from "node:readline";
import cliProgress, { type MultiBar } from "cli-progress";
import { type Piece, shownLine } from "./styled.js";
import { taskbar } from "./taskbar.js";
import type { Terminal } from "./terminal.js";

const CLEAR_DOWN = "\r\u001b[J";
const SHOW_CURSOR = "\u001b[?25h";
const HIDE_CURSOR = "\u001b[?25l";
const MAX_LINES = 2;
const DRAWN_PER_SECOND = 5;

/** What is drawn: up to two lines, and the fraction that is done where it is known, from 0 to 1. */
export interface Drawing {
  readonly lines: readonly string[];
  readonly fraction?: number | undefined;
}

/** Lines on standard error that are drawn again and again below what is said; without a terminal none are drawn. */
export interface Progress {
  /** @param draw called for each drawing with the width of the terminal, in characters: each line is shorter */
  start(draw: (width: number) => Drawing): void;
  /** Draws now, before work that takes long. */
  redraw(): void;
  say(...pieces: readonly Piece[]): void;
  stop(): void;
}

export function createProgress(terminal: Terminal): Progress {
  const { stderr } = terminal;
  const inTaskbar = taskbar(stderr);
  let bars: MultiBar | undefined;
  let draw: (width: number) => Drawing = () => ({ lines: [] });
  let drawn: readonly string[] = [];
  /** Whether the lines on the screen may cover others, or reach below where they are drawn next. */
  let isInTheWay = false;
  let endSession = () => {};

  function begin(): void {
    // cli-progress decides when to redraw, and keeps the lines below what is said.
    const started = new cliProgress.MultiBar({
      // The command handles signals itself.
      gracefulExit: false,
      hideCursor: true,
      clearOnComplete: true,
      fps: DRAWN_PER_SECOND,
      stream: stderr,
      // What is said may be longer than the terminal is wide.
      linewrap: true,
      forceRedraw: true,
    });
    started.on("redraw-pre", () => {
      const { lines, fraction } = draw(stderr.columns || 80);
      drawn = lines.map((line) => shownLine([line]));
      inTaskbar.show(fraction);
      if (isInTheWay) clearScreenDown(stderr);
      isInTheWay = false;
    });
    // The cursor waits where the lines begin: there it stays when the terminal changes its width and breaks lines again.
    started.on("redraw-post", () => cursorToFirstLine(started));
    for (let line = 0; line < MAX_LINES; line++) {
      started.create(1, 0, {}, { format: () => drawn[line] ?? "" });
    }
    bars = started;
    const redraw = () => {
      isInTheWay = true;
      bars?.update();
    };
    const unsuspend = atSuspension(
      () => stderr.write(`${CLEAR_DOWN}${SHOW_CURSOR}`),
      () => {
        stderr.write(HIDE_CURSOR);
        redraw();
      },
    );
    stderr.on("resize", redraw);
    endSession = () => {
      unsuspend();
      stderr.off("resize", redraw);
    };
  }

  return {
    start(newDraw) {
      if (!terminal.isInteractive) return;
      draw = newDraw;
      if (!bars) begin();
      bars?.update();
    },
    redraw: () => bars?.update(),
    say(...pieces) {
      if (!bars) {
        terminal.say(...pieces);
        return;
      }
      bars.log(`${shownLine(pieces)}\n`);
      isInTheWay = true;
      // At once, so that the line stands before whatever is written next.
      bars.update();
    },
    stop() {
      endSession();
      endSession = () => {};
      bars?.stop();
      bars = undefined;
      inTaskbar.clear();
    },
  };
}

/** The part of cli-progress that moves the cursor, which its types leave out. */
function cursorToFirstLine(bars: MultiBar): void {
  const { terminal } = bars as unknown as { terminal: { cursorRelativeReset(): void } };
  terminal.cursorRelativeReset();
}

/**
 * Leaves the terminal as it was while Ctrl-Z stops the process, and comes back when it goes on.
 *
 * @returns a function that gives Ctrl-Z its former effect
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
