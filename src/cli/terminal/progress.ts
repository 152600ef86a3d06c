import cliProgress, { type MultiBar, type SingleBar } from "cli-progress";
import { duration } from "./format.js";
import type { Terminal } from "./terminal.js";

/** A progress bar on standard error with lines above it; without a terminal, the lines alone. */
export interface Progress {
  start(total: number, done: number): void;
  update(done: number, facts: string): void;
  say(line: string): void;
  stop(): void;
}

export function createProgress(terminal: Terminal): Progress {
  let bars: MultiBar | undefined;
  let bar: SingleBar | undefined;
  return {
    start(total, done) {
      if (!terminal.isInteractive) return;
      bars = new cliProgress.MultiBar({
        format: "{bar} {percentage}% | {facts} | {eta_formatted} left",
        formatTime: (seconds) => duration(seconds),
        barsize: 20,
        barCompleteChar: "\u2588",
        barIncompleteChar: "\u2591",
        // Signals are the command's own affair.
        gracefulExit: false,
        hideCursor: true,
        clearOnComplete: true,
        fps: 5,
        stream: terminal.stderr,
        linewrap: false,
      });
      bar = bars.create(total, done, { facts: "" });
    },
    update(done, facts) {
      bar?.update(done, { facts });
    },
    say(line) {
      if (bars) bars.log(`${line}\n`);
      else terminal.say(line);
    },
    stop() {
      bars?.stop();
      bars = undefined;
      bar = undefined;
    },
  };
}
