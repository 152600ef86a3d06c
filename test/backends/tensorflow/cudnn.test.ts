/**
 * What the tensorflow backend does with cuDNN's operations, on processors: a stand-in has the
 * equations that cuDNN's documentation gives them. On a graphics processor the other tests run by
 * cuDNN itself.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { dataFolder, tensorFlowFolder } from "#src/backends/tensorflow/folder.js";
import type { TensorFlowBackend } from "#src/backends/tensorflow/tensorflow-backend.js";
import { backend } from "#src/backends/tfjs.js";
import { charnn, SMALL, workplace } from "../../helpers/executable.js";
import { onTensorFlow } from "../../helpers/tensorflow.js";

const run = promisify(execFile);

const SOURCE = fileURLToPath(
  new URL("../../../test/fixtures/cudnn/cudnn_on_cpu.cc", import.meta.url),
);
const LIBRARIES = path.join(tensorFlowFolder(), "deps", "lib");
const COMPILER = process.env.CXX ?? "g++";

const folder = mkdtempSync(path.join(tmpdir(), "charnn-cudnn-"));
const standIns = new Map<string, Promise<string>>();

const TRAIN = [
  ...["train", "fox.txt", "--backend", "tensorflow", "--threads", "1", ...SMALL],
  // With it no layer goes by cuDNN.
  ...["--recurrent-dropout", "0"],
];

await onTensorFlow("cuDNN's operations", () => {
  after(() => rm(folder, { recursive: true }));
  const skip = whyNoStandIn((backend() as unknown as TensorFlowBackend).cudnn.usable);

  for (const [file, atLeast] of [
    ["../conformance.test.js", 60],
    ["tensorflow.test.js", 7],
  ] as const) {
    const name = path.basename(file, ".test.js");
    test(`do what the tests of ${name} ask for`, { skip }, async () => {
      const { stdout } = await run(
        process.execPath,
        [
          ...["--test", "--test-reporter=tap", "--test-name-pattern=tensorflow backend"],
          fileURLToPath(new URL(file, import.meta.url)),
        ],
        {
          env: {
            ...process.env,
            NODE_TEST_CONTEXT: undefined,
            CHARNN_TEST_ROUNDS: "1",
            ...(await standIn()),
          },
        },
      ).catch((error) => assert.fail(error.stdout));
      const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1]);
      assert.ok(passed >= atLeast, stdout);
    });
  }

  test("are found by doctor", { skip }, async (t) => {
    const env = await standIn();
    const { stdout } = await charnn(t, ["doctor"], { env });
    assert.match(stdout, /^tensorflow +loads: .*, TensorFlow \d+\.\d+\.\d+ with cuDNN$/m);
    const { backends } = JSON.parse((await charnn(t, ["doctor", "--json"], { env })).stdout);
    const [, { tensorflow, warning }] = backends;
    const { version, ...found } = tensorflow;
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.deepEqual({ ...found, warning }, { device: "CPU", cudnn: true, warning: undefined });
  });

  test("that give other numbers are left alone, and a warning says so", { skip }, async (t) => {
    const cwd = await workplace(t);
    const data = { XDG_DATA_HOME: dataFolder() };
    const plain = await charnn(t, [...TRAIN, "--name", "plain"], { cwd, env: data });
    assert.equal(plain.code, 0, plain.stderr);
    assert.doesNotMatch(plain.stderr, /cuDNN/);
    const env = await standIn("-DEXCHANGED_GATES");
    const wrong = await charnn(t, [...TRAIN, "--name", "wrong"], { cwd, env });
    assert.equal(wrong.code, 0, wrong.stderr);
    const warning =
      "cuDNN's layers can't be used: a GRU gives other numbers than without them. " +
      "Others compute, several times slower.";
    assert.equal(wrong.stderr.split(warning).length, 2, wrong.stderr);
    const [a, b] = await Promise.all(
      ["plain", "wrong"].map((name) =>
        readFile(path.join(cwd, "checkpoints", name, "last.safetensors")),
      ),
    );
    assert.ok(a.subarray(-1000).equals(b.subarray(-1000)));
    const { stdout } = await charnn(t, ["doctor"], { env });
    assert.ok(stdout.replace(/\s+/g, " ").includes(`. ${warning}`), stdout);
  });
});

function whyNoStandIn(isThere: boolean): string | false {
  if (isThere) return "cuDNN itself is here";
  if (!existsSync(LIBRARIES)) {
    return `no TensorFlow in ${tensorFlowFolder()}; charnn doctor --install-tensorflow gets it`;
  }
  const { status } = spawnSync(COMPILER, ["--version"], { stdio: "ignore" });
  return status === 0 ? false : "a C++ compiler is wanted: apt-get install g++";
}

/**
 * Compiles the stand-in, once for the same flags.
 *
 * @returns the environment in which a process has it
 */
async function standIn(...flags: string[]): Promise<Record<string, string>> {
  const name = `cudnn${flags.join("")}.node`;
  const compiled = standIns.get(name) ?? compile(path.join(folder, name), flags);
  standIns.set(name, compiled);
  return {
    XDG_DATA_HOME: dataFolder(),
    NODE_OPTIONS: `--require=${await compiled}`,
    // It loads TensorFlow before charnn can tell it so.
    TF_CPP_MIN_LOG_LEVEL: "2",
    TF_ENABLE_ONEDNN_OPTS: "0",
  };
}

async function compile(addon: string, flags: readonly string[]): Promise<string> {
  await run(COMPILER, [
    ...["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", ...flags, SOURCE],
    ...["-o", addon, `-L${LIBRARIES}`, "-ltensorflow", "-ltensorflow_framework"],
    `-Wl,-rpath,${LIBRARIES}`,
  ]);
  return addon;
}
