import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import path from "node:path";

/**
 * A Python that has all of these modules: the one that CHARNN_PYTHON names, that of the peers, or
 * the system's; undefined when there is none.
 */
export function pythonWith(...modules: string[]): string | undefined {
  const { CHARNN_PYTHON } = process.env;
  const peers = path.join(homedir(), ".cache/charnn-peers/bin/python");
  const candidates = CHARNN_PYTHON ? [CHARNN_PYTHON] : [peers, "python3"];
  const program = `import ${modules.join(", ")}`;
  return candidates.find(
    (python) => spawnSync(python, ["-c", program], { stdio: "ignore" }).status === 0,
  );
}
