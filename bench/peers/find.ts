/** Where the programs are that charnn is compared with: `npm run peers` installs them. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** Their folder: a virtual environment of Python, and packages of npm. */
export const PEERS = process.env.CHARNN_PEERS || path.join(homedir(), ".cache", "charnn-peers");
/** The Python in it. */
export const PEERS_PYTHON =
  process.platform === "win32"
    ? path.join(PEERS, "Scripts", "python.exe")
    : path.join(PEERS, "bin", "python");

/** What is said in place of a figure. */
export const NOT_INSTALLED = "not installed: npm run peers";

// Looks for the modules without importing them, which takes PyTorch seconds.
const LOOK_FOR_MODULES = `
import sys
from importlib.util import find_spec
sys.exit(any(find_spec(name) is None for name in sys.argv[1:]))
`;

/**
 * A Python that has all of these modules: the one that CHARNN_PYTHON names, that of the peers, or
 * the system's; undefined when none has.
 */
export function pythonWith(...modules: string[]): string | undefined {
  const { CHARNN_PYTHON } = process.env;
  const candidates = [...(CHARNN_PYTHON ? [CHARNN_PYTHON] : []), PEERS_PYTHON, "python3"];
  return candidates.find((python) => {
    const { status } = spawnSync(python, ["-c", LOOK_FOR_MODULES, ...modules], { stdio: "ignore" });
    return status === 0;
  });
}

/** The folder with the modules of onnxruntime-web; undefined where it is not installed. */
export function onnxruntimeWeb(): string | undefined {
  const folder = path.join(PEERS, "node_modules", "onnxruntime-web", "dist");
  return existsSync(folder) ? folder : undefined;
}

/** Where tfjs-node is, with its JavaScript and TensorFlow's library; undefined where it is not installed. */
export function modulesWithTfjs(): string | undefined {
  const modules = path.join(PEERS, "node_modules");
  return existsSync(path.join(modules, "@tensorflow", "tfjs-node", "lib")) ? modules : undefined;
}
