/** Programs in a process of their own, which use charnn as a library. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { plainEnvironment } from "./executable.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The address of a module of these lines. */
export function moduleOf(program: string): string {
  return `data:text/javascript,${encodeURIComponent(program)}`;
}

/**
 * Runs a module of these lines; one that hangs is killed, and fails.
 *
 * @param addresses the most memory that it may lay out, in kilobytes, which only a shell can limit
 */
export async function outcomeOf(
  program: string,
  env: NodeJS.ProcessEnv = {},
  addresses?: number,
): Promise<{ code: number | string; stdout: string }> {
  const { CHARNN_ISA, ...surroundings } = plainEnvironment();
  const node = [process.execPath, "--input-type=module", "--eval", program];
  const [command, ...args] =
    addresses === undefined
      ? node
      : ["sh", "-c", `ulimit -v ${addresses}; exec "$@"`, "sh", ...node];
  try {
    const { stdout } = await promisify(execFile)(command, args, {
      cwd: ROOT,
      env: { ...surroundings, ...env },
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
    return { code: 0, stdout: stdout.trim() };
  } catch (error) {
    const { code, signal, stdout, stderr } = error as {
      code: number | null;
      signal: string;
      stdout: string;
      stderr: string;
    };
    return { code: code ?? signal, stdout: `${stdout}${stderr}`.trim() };
  }
}
