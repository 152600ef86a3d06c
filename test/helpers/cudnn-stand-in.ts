/**
 * cuDNN's operations on processors: a stand-in has the equations that cuDNN's documentation gives them. On a
 * graphics processor the other tests run with cuDNN itself.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tensorFlowFolder } from "#src/backends/tensorflow/folder.js";
import type { TensorFlowBackend } from "#src/backends/tensorflow/tensorflow-backend.js";
import { dataFolder } from "#src/data-folder.js";

const run = promisify(execFile);

const SOURCE = fileURLToPath(new URL("../../test/fixtures/cudnn/cudnn_on_cpu.cc", import.meta.url));
const LIBRARIES = path.join(tensorFlowFolder(), "deps", "lib");
const COMPILER = process.env.CXX ?? "g++";

/** Why there is no stand-in; false where there is one. */
export function whyNoStandIn({ cudnn }: TensorFlowBackend): string | false {
  if (cudnn.usable) return "cuDNN itself is here";
  if (!existsSync(LIBRARIES)) {
    return `no TensorFlow in ${tensorFlowFolder()}; charnn doctor --install-tensorflow gets it`;
  }
  const { status } = spawnSync(COMPILER, ["--version"], { stdio: "ignore" });
  return status === 0 ? false : "a C++ compiler is wanted: apt-get install g++";
}

/** Runs the tests of the tensorflow backend in a compiled test file with the stand-in. */
export async function passByStandIn(
  file: string,
  atLeast: number,
  environment: Record<string, string> = {},
): Promise<void> {
  const tests = fileURLToPath(new URL(`../backends/${file}`, import.meta.url));
  const changes = { ...environment, NODE_TEST_CONTEXT: undefined, ...(await standIn()) };
  const env = { ...process.env, ...changes };
  const options = ["--test", "--test-reporter=tap", "--test-name-pattern=tensorflow backend"];
  const { stdout } = await run(process.execPath, [...options, tests], { env }).catch((error) =>
    assert.fail(error.stdout),
  );
  const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1]);
  assert.ok(passed >= atLeast, stdout);
}

const standIns = new Map<string, Promise<string>>();

/**
 * Compiles the stand-in, once for the same flags.
 *
 * @returns the environment in which a process has it
 */
export async function standIn(...flags: string[]): Promise<Record<string, string>> {
  const key = flags.join(" ");
  const compiled = standIns.get(key) ?? compile(flags);
  standIns.set(key, compiled);
  return {
    XDG_DATA_HOME: dataFolder(),
    NODE_OPTIONS: `--require=${await compiled}`,
    // It loads TensorFlow before charnn can tell it so.
    TF_CPP_MIN_LOG_LEVEL: "2",
    TF_ENABLE_ONEDNN_OPTS: "0",
  };
}

async function compile(flags: readonly string[]): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), "charnn-cudnn-"));
  process.once("exit", () => rmSync(folder, { recursive: true }));
  const addon = path.join(folder, "cudnn.node");
  await run(COMPILER, [
    ...["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", ...flags, SOURCE],
    ...["-o", addon, `-L${LIBRARIES}`, "-ltensorflow", "-ltensorflow_framework"],
    `-Wl,-rpath,${LIBRARIES}`,
  ]);
  return addon;
}
