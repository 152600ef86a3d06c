import { createInterface } from "node:readline";
import type { Command } from "commander";
import { PLAY, type PlaySettings } from "../../config/play.js";
import type { CommandContext } from "../context.js";
import { addOptions, RUN_ARGUMENT } from "../options/add-options.js";
import { sayWhichRun } from "../sample/which-run.js";
import { createStatus } from "../terminal/status.js";
import { warnIfUntrained } from "../untrained.js";

export function playCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption } = context;
  const command = program
    .command("play")
    .summary("Write in turn with a model")
    .description(
      "Type, press Enter, and let a model continue what you typed; :help shows the commands.",
    )
    .argument("[run]", RUN_ARGUMENT);
  addOptions(command, PLAY, ["charnn play", "charnn play night -t 0.5"]).action(
    async (run: string | undefined, given: PlaySettings) => {
      const { out, backend, threads, length = PLAY.length.default } = given;
      const { temperature = PLAY.temperature.default } = given;
      const { loadCheckpoint } = await import("../../runs/load-checkpoint.js");
      const { openModel } = await import("../../serving/model.js");
      const { Game } = await import("../play/game.js");
      const { signal } = interruption;
      const checkpoint = await loadCheckpoint(run, { out, signal, weightsOnly: true });
      await warnIfUntrained(terminal, checkpoint);
      const settings = { backend, threads, onWarning: terminal.warn, signal };
      const model = await openModel(checkpoint, settings);
      sayWhichRun([checkpoint], terminal, undefined);
      const isTyped = process.stdin.isTTY === true && terminal.stderr.isTTY === true;
      if (isTyped) terminal.say(":help shows the commands, Ctrl-D leaves.");
      const lines = createInterface({
        input: process.stdin,
        output: isTyped ? terminal.stderr : undefined,
        prompt: "> ",
      });
      let stop = new AbortController();
      const stopAll = () => {
        stop.abort(signal.reason);
        lines.close();
      };
      signal.addEventListener("abort", stopAll, { once: true });
      let isWriting = false;
      lines.on("SIGINT", () => {
        if (isWriting) return stop.abort();
        // Takes back what is typed: else it would come before the next words, unseen.
        lines.write(null, { ctrl: true, name: "e" });
        lines.write(null, { ctrl: true, name: "u" });
        terminal.say();
        terminal.say(":quit or Ctrl-D leaves.");
        lines.prompt();
      });
      try {
        const status = createStatus(context);
        const player = {
          ...{ write: terminal.out, say: terminal.say, repeats: !isTyped },
          showReading(isReading: boolean) {
            if (isReading) status.show("Reading the text");
            else status.stop();
          },
        };
        const game = new Game(model, player, { length, temperature });
        if (isTyped) lines.prompt();
        for await (const line of lines) {
          stop = new AbortController();
          isWriting = true;
          const goesOn = await game.play(line, stop.signal);
          isWriting = false;
          signal.throwIfAborted();
          if (!goesOn) break;
          if (isTyped) lines.prompt();
        }
        signal.throwIfAborted();
      } finally {
        signal.removeEventListener("abort", stopAll);
        lines.close();
        model.close();
      }
    },
  );
}
