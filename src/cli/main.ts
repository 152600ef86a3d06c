import { version } from "../version.js";

/**
 * Runs the command line.
 *
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  // Scripts ask for the version often, and all else takes as long to load as Node itself.
  if (args.length === 1 && (args[0] === "-V" || args[0] === "--version")) {
    if (await isWritten(`${version()}\n`)) return 0;
  }
  const { run } = await import("./run.js");
  return run(args);
}

/** Whether the standard output took a text; where it did not, another attempt says why. */
async function isWritten(text: string): Promise<boolean> {
  const { stdout } = process;
  return new Promise((resolve) => {
    stdout.once("error", () => resolve(false));
    stdout.write(text, (error) => {
      if (!error) resolve(true);
    });
  });
}
