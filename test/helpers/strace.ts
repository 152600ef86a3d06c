import { spawnSync } from "node:child_process";
import { EXECUTABLE, quoted } from "./executable.js";

/** Why a test that makes calls of the system fail is left out; false where it can run. */
export const withoutStrace = canTrace()
  ? false
  : "strace is missing or not allowed here; apt-get install strace";

/** Files whose calls fail alone. */
interface Faults {
  readonly only?: readonly string[];
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
  { only = [] }: Faults = {},
): string {
  const options = [
    ...injections.map((injection) => `-e ${quoted(`inject=${injection}`)}`),
    ...only.map((file) => `-P ${quoted(file)}`),
  ];
  const program = `${quoted(process.execPath)} ${quoted(EXECUTABLE)}`;
  return `strace -f -qq -o /dev/null ${options.join(" ")} ${program} ${args}`;
}

function canTrace(): boolean {
  return spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status === 0;
}
