import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { EXECUTABLE, plainEnvironment, quoted } from "./executable.js";
import { temporaryFolder } from "./folder.js";

export const withTmux = {
  skip:
    spawnSync("tmux", ["-V"]).status !== 0 &&
    "needs tmux: apt-get install tmux, or brew install tmux",
};

/** A command in a terminal of its own. */
export interface Screen {
  /** The lines that stand there; with `styles`, colours as escape sequences. */
  lines(styles?: boolean): string[];
  /** Waits until the screen shows this, and returns its lines. */
  shows(pattern: { test(text: string): boolean; toString(): string }): Promise<string[]>;
  press(key: string): void;
  cursorIsShown(): boolean;
  /** Closes the terminal. */
  close(): void;
  /** All bytes that the terminal was sent. */
  sent(): Promise<string>;
}

export async function openScreen(
  t: TestContext,
  args: readonly string[],
  {
    cwd,
    columns,
    env = {},
    scriptOf = alone,
  }: {
    cwd: string;
    columns: number;
    env?: Record<string, string>;
    /** The lines of bash that run the command. */
    scriptOf?: (command: string) => string;
  },
): Promise<Screen> {
  const socket = `charnn-${randomUUID()}`;
  // Registered first, so that it is gone before its folder is.
  t.after(() => spawnSync("tmux", ["-L", socket, "kill-server"]));
  const log = path.join(await temporaryFolder(t), "log");
  const tmux = (...words: string[]) => {
    const { stdout, stderr, status } = spawnSync(
      "tmux",
      ["-L", socket, "-f", "/dev/null", ...words],
      {
        encoding: "utf8",
        env: { ...plainEnvironment(), LC_ALL: "C.UTF-8" },
      },
    );
    if (status !== 0) throw new Error(`tmux ${words[0]}: ${stderr}`);
    return stdout;
  };
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const command = ["env", ...settings, process.execPath, EXECUTABLE, ...args].map(quoted).join(" ");
  // It waits for the log, outlives Ctrl-C, and waits for looks at what is left.
  const script = `trap : INT; read go; ${scriptOf(command)}; read end`;
  const size = ["-x", String(columns), "-y", "60"];
  tmux("new-session", "-d", ...size, "-c", cwd, `stty -echo; bash -c ${quoted(script)}`);
  tmux("pipe-pane", `cat > ${quoted(log)}`);
  await setTimeout(100);
  tmux("send-keys", "Enter");
  const lines = (styles = false) =>
    tmux("capture-pane", "-p", ...(styles ? ["-e"] : []))
      .trimEnd()
      .split("\n");
  return {
    lines,
    async shows(pattern) {
      for (let tries = 0; tries < 300; tries++) {
        const seen = lines();
        if (pattern.test(seen.join("\n"))) return seen;
        await setTimeout(50);
      }
      throw new Error(`The screen does not show ${pattern}:\n${lines().join("\n")}`);
    },
    close: () => tmux("kill-session"),
    press: (key) => tmux("send-keys", key),
    cursorIsShown: () => tmux("display-message", "-p", "#{cursor_flag}").trim() === "1",
    sent: () => readFile(log, "utf8"),
  };
}

/** Runs a command and says how it ended. */
function alone(command: string): string {
  return `${command}; echo "code $?"`;
}
