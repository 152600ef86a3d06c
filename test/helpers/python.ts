import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import path from "node:path";

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
  const { CHARNN_PYTHON, CHARNN_PEERS = path.join(homedir(), ".cache/charnn-peers") } = process.env;
  const peers = path.join(CHARNN_PEERS, "bin/python");
  const candidates = [...(CHARNN_PYTHON ? [CHARNN_PYTHON] : []), peers, "python3"];
  return candidates.find((python) => {
    const { status } = spawnSync(python, ["-c", LOOK_FOR_MODULES, ...modules], { stdio: "ignore" });
    return status === 0;
  });
}
