import { spawnSync } from "node:child_process";
import { EXECUTABLE, quoted } from "./executable.js";

/** Why a test that makes calls of the system fail is left out; false where it can run. */
export const withoutStrace = canTrace()
  ? false
  : "strace is missing or not allowed here; apt-get install strace";

interface StraceOptions {
  /** Files whose calls fail alone. */
  readonly only?: readonly string[];
  /** A file that gets a line for each of some calls, with the paths of what they are made on. */
  readonly trace?: string;
  readonly calls?: readonly string[];
}

/**
 * A line of bash that runs charnn while calls of the system fail.
 *
 * @param args of charnn, as they are typed
 * @param injections what fails, as strace takes it: `fsync:error=EDQUOT`
 */
export function charnnUnder(
  args: string,
  injections: readonly string[],
  { only = [], trace = "/dev/null", calls = [] }: StraceOptions = {},
): string {
  const options = [
    ...injections.map((injection) => `-e ${quoted(`inject=${injection}`)}`),
    ...(calls.length > 0 ? [`-y -e trace=${calls.join(",")}`] : []),
    ...only.map((file) => `-P ${quoted(file)}`),
  ];
  const program = `${quoted(process.execPath)} ${quoted(EXECUTABLE)}`;
  return `strace -f -qq -o ${quoted(trace)} ${options.join(" ")} ${program} ${args}`;
}

function canTrace(): boolean {
  return spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status === 0;
}
