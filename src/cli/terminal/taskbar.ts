const BELL = "\u0007";

/** Progress where a terminal shows it outside its text: in the task bar, in a tab. */
interface Taskbar {
  /** @param fraction from 0 to 1; undefined where nobody knows it */
  show(fraction: number | undefined): void;
  clear(): void;
}

/** By the sequence OSC 9;4 of ConEmu, in terminals that know it; others take OSC 9 for a notification. */
export function taskbar(stream: NodeJS.WriteStream): Taskbar {
  let shown: string | undefined;
  const write = (state: string) => stream.write(`\u001b]9;4;${state}${BELL}`);
  return {
    show(fraction) {
      const state = fraction === undefined ? "3" : `1;${Math.floor(100 * fraction)}`;
      if (!hasTaskbar(stream) || state === shown) return;
      shown = state;
      write(state);
    },
    clear() {
      if (shown !== undefined) write("0;");
      shown = undefined;
    },
  };
}

/** Whether a terminal shows progress outside its text, as Cargo and systemd tell it. */
export function hasTaskbar({ isTTY }: Pick<NodeJS.WriteStream, "isTTY">): boolean {
  const { WT_SESSION, ConEmuANSI, TERM_PROGRAM, TERM_FEATURES, TERM } = process.env;
  // tmux and screen pass on neither the sequence nor, in time, the variables.
  if (!isTTY || /^(tmux|screen|dumb)/.test(TERM ?? "")) return false;
  return (
    WT_SESSION !== undefined ||
    ConEmuANSI === "ON" ||
    ["ghostty", "WezTerm"].includes(TERM_PROGRAM ?? "") ||
    (TERM_PROGRAM === "iTerm.app" && (TERM_FEATURES ?? "").includes("P"))
  );
}
