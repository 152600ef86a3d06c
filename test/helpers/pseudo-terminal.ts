import { spawnSync } from "node:child_process";
import type { TestContext } from "node:test";
import { type Outcome, quoted, type StartOptions, shell } from "./executable.js";

/** For tests that need a terminal: util-linux has the program that makes one. */
export const withPseudoTerminal = {
  skip:
    !/util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "") &&
    "needs script of util-linux",
};

/**
 * Runs a line of bash, in which `charnn` is the program, with both of its outputs on one terminal.
 * Nothing is coloured and no bar is drawn, so that whatever escape sequence is left is not charnn's.
 *
 * @returns all that the terminal was sent, as `stdout`
 */
export function onTerminal(
  t: TestContext,
  line: string,
  { env, ...options }: StartOptions = {},
): Promise<Outcome> {
  return shell(
    t,
    `export -f charnn; SHELL=$BASH script --quiet --return --command ${quoted(line)} /dev/null < /dev/null`,
    { ...options, env: { NO_COLOR: "1", TERM: "dumb", ...env } },
  );
}
