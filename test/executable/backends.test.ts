import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { before } from "node:test";
import { fileURLToPath } from "node:url";
import { defaultThreads } from "#src/processors.js";
import { onTheAddon } from "../helpers/addon.js";
import { copiedProgram } from "../helpers/copied-program.js";
import { charnn, foxFolder, jsonLines, plainEnvironment, SMALL } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";
import { slashed } from "../helpers/system.js";

const PLATFORM = `${process.platform}-${process.arch}`;
const COMPILED = `native/build/${PLATFORM}/charnn.node`;
const CLONE = { "scripts/build-native.js": "" };
const WARNING =
  /^Warning: The native backend does not load: .+\. Using the wasm backend, which is several times slower\. .+$/gm;

slow(
  "Where the native backend does not load, every command that uses a model warns once, with the reason and the remedy",
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const program = await copiedProgram(t, CLONE);
    for (const command of [
      "train fox.txt --name other --quiet --hidden-size 8 --steps 2",
      "train fox.txt --name other --quiet --resume --steps 3",
      "train fox.txt --name third --hidden-size 8 --steps 2",
      "sample fox -n 5",
      "sample fox -n 5 --json --threads 2",
      "eval fox fox.txt",
      "eval fox fox.txt --json",
      "bench --hidden-size 8 --steps 1 --json",
    ]) {
      const { code, stdout, stderr } = await charnn(t, command.split(" "), { cwd, program });
      assert.equal(code, 0, stderr);
      assert.notEqual(stdout, "");
      assert.equal([...stderr.matchAll(WARNING)].length, 1, `${command}: ${stderr}`);
      assert.equal(stderr.match(/Warning:/g)?.length, 1, `${command}: ${stderr}`);
      assert.match(
        stderr,
        /it was not compiled\. .* With a C\+\+ compiler, run: npm run native; without one: /,
      );
    }
  },
);

slow(
  "Where the native backend does not load, training with --json reports it as an event too",
  async (t) => {
    const cwd = await foxFolder(t);
    const program = await copiedProgram(t);
    const train = ["train", "fox.txt", "--json", ...SMALL];
    const { stdout, stderr } = await charnn(t, train, { cwd, program });
    const events = jsonLines(stdout);
    const warnings = events.filter(({ event }) => event === "warning");
    assert.equal(warnings.length, 1);
    assert.equal(stderr, `Warning: ${warnings[0].message}\n`);
    const { backend } = events.find(({ event }) => event === "start");
    const { name, threads, passedOver } = backend;
    assert.deepEqual({ name, threads }, { name: "wasm", threads: defaultThreads().threads });
    assert.deepEqual(
      passedOver.map((one: { name: string }) => one.name),
      ["native"],
    );
    assert.ok(warnings[0].message.includes(`${passedOver[0].why}. `));
    assert.ok(warnings[0].message.endsWith(` ${passedOver[0].cure}`));
  },
);

slow(
  "Where the native backend does not load, --backend native is refused, and --backend wasm is used without a warning",
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const program = await copiedProgram(t);
    for (const command of ["train fox.txt", "sample", "eval fox fox.txt", "bench"]) {
      const args = [...command.split(" "), "--backend", "native"];
      const { code, stdout, stderr } = await charnn(t, args, { cwd, program });
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(stderr, /^Error: The native backend does not load: .+\.\nInstall .+\n$/);
    }
    for (const name of ["wasm", "cpu"]) {
      const bench = ["bench", "--hidden-size", "8", "--steps", "1", "--json", "--backend", name];
      const { code, stdout, stderr } = await charnn(t, bench, { cwd, program });
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      assert.equal(jsonLines(stdout)[0].backend, "wasm");
    }
  },
);

// A package that has its name, in a folder where Node looks first.
const packaged = `dist/node_modules/@charnn/native-${PLATFORM}/index.js`;
/** A module that the system's loader refuses with a message. */
const failing = (message: string) =>
  `throw Object.assign(new Error(${JSON.stringify(message)}), { code: "ERR_DLOPEN_FAILED" });`;
const cases: [title: string, files: Record<string, string | Uint8Array>, ...says: string[]][] = [
  [
    "no package for the platform",
    {},
    `the package @charnn/native-${PLATFORM} is not installed.`,
    "\nInstall charnn again with --include=optional.\n",
  ],
  [
    "not compiled",
    CLONE,
    "it was not compiled.\nWith a C++ compiler, run: ",
    "charnn.js doctor --install-compiler\n",
  ],
  [
    "a file that is none of the system's",
    { ...CLONE, [COMPILED]: "This is no addon.\n".repeat(10) },
    "its file is damaged, or made for another system (",
    COMPILED,
    "\nCompile it again: npm run native\n",
  ],
  [
    "an empty file in place of the package's",
    {
      [packaged.replace("index.js", "package.json")]: '{"main":"charnn.node"}',
      [packaged.replace("index.js", "charnn.node")]: "",
    },
    "its file is damaged, or made for another system (",
    "\nInstall charnn again.\n",
  ],
  [
    "one that Windows does not load",
    { ...CLONE, [packaged]: failing("\\\\?\\C:\\a.node is not a valid Win32 application.\r\n") },
    "or made for another system (\\\\?\\C:\\a.node is not a valid Win32 application).\nCompile",
  ],
  [
    "an addon of another version",
    { ...CLONE, [packaged]: "exports.describe = () => ({ interface: 0 });" },
    "it was made for another version of charnn.\nCompile it again: npm run native\n",
  ],
  [
    "an addon that says nothing of itself",
    { [packaged]: "" },
    "it was made for another version of charnn.\nInstall charnn again.\n",
  ],
];
for (const [title, files, ...says] of cases) {
  slow(
    `Where the native backend does not load, the reason and the remedy are shown: ${title}`,
    async (t) => {
      const program = await copiedProgram(t, files);
      const args = ["bench", "--backend", "native"];
      const { code, stdout, stderr } = await charnn(t, args, { program });
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "" }, stderr);
      assert.match(stderr, /^Error: The native backend does not load: [^\n]+\n[^\n]+\n$/);
      const said = slashed(stderr);
      for (const part of says.map(slashed))
        assert.ok(said.includes(part), `${said} does not say ${part}`);
    },
  );
}

slow(
  "Where the native backend does not load, Linux without glibc is offered the package for musl, and takes it",
  { skip: process.platform !== "linux" && "only there" },
  async (t) => {
    const withoutGlibc = "process.report.getReport = () => ({ header: {} });";
    const name = `@charnn/native-${PLATFORM}-musl`;
    const installed = `dist/node_modules/${name}/index.js`;
    for (const [files, says] of [
      [{}, `the package ${name} is not installed.`],
      [
        { [installed]: "exports.describe = () => ({ interface: 0 });" },
        "it was made for another version of charnn.",
      ],
    ] as const) {
      const program = await copiedProgram(t, { ...files, "without-glibc.cjs": withoutGlibc });
      const preload = path.join(path.dirname(program), "..", "without-glibc.cjs");
      const env = { NODE_OPTIONS: `--require=${preload}` };
      const args = ["bench", "--backend", "native"];
      const { code, stderr } = await charnn(t, args, { program, env });
      assert.equal(code, 1);
      assert.ok(stderr.includes(says), stderr);
    }
  },
);

const linux = { skip: process.platform !== "linux" && "only Linux's linker crashes on it" };
slow(
  "Where the native backend does not load, an addon file whose end is missing does not crash the command",
  linux,
  async (t) => {
    const whole = await readFile(process.execPath);
    const program = await copiedProgram(t, { ...CLONE, [COMPILED]: whole.subarray(0, 200_000) });
    const args = ["bench", "--backend", "native"];
    const { code, stderr } = await charnn(t, args, { program });
    assert.equal(code, 1);
    assert.match(stderr, /does not load: its end is missing: .*charnn\.node\.\nCompile it again/);
  },
);

onTheAddon("The native backend", (addon) => {
  let sets: readonly string[] = [];
  before(() => {
    sets = addon.describe().instructionSets;
  });

  slow("The native backend uses the given number of threads, and says so", async (t) => {
    const cwd = await foxFolder(t);
    const train = (...args: string[]) =>
      charnn(t, ["train", "fox.txt", "--name", "fox", "--hidden-size", "8", ...args], { cwd });
    const shown = await train("--steps", "2", "--threads", "3");
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stderr, /^ {2}run +.*, 3 threads$/m);
    // How it is computed is no part of the run.
    const resumed = await train("--resume", "--steps", "4", "--threads", "1", "--json");
    assert.equal(resumed.code, 0, resumed.stderr);
    const [{ backend, config, step }] = jsonLines(resumed.stdout);
    assert.deepEqual(backend, { name: "native", threads: 1, passedOver: [] });
    assert.equal(step, 2);
    assert.ok(!JSON.stringify(config).includes("threads"));

    for (const command of ["sample -n 60 --seed The --random-seed 1", "eval fox fox.txt --json"]) {
      const [one, many] = await Promise.all(
        ["1", "3"].map((threads) =>
          charnn(t, [...command.split(" "), "--threads", threads], { cwd }),
        ),
      );
      assert.deepEqual({ code: one.code, stderr: one.stderr }, { code: 0, stderr: "" });
      assert.deepEqual(many, one);
    }
  });

  slow(
    "The native backend uses the instruction set that CHARNN_ISA names, and refuses one that is not there",
    async (t) => {
      const cwd = await foxFolder(t, { trained: true });
      for (const args of ["sample -n 5", "doctor", "bench --backend native"]) {
        const env = { CHARNN_ISA: "mmx" };
        const { code, stdout, stderr } = await charnn(t, args.split(" "), { cwd, env });
        assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
        assert.match(stderr, /^Error: CHARNN_ISA .*"mmx".*\n[^\n]+\n$/);
        for (const set of sets) assert.ok(stderr.includes(set), stderr);
      }
      const last = sets[sets.length - 1];
      const env = { CHARNN_ISA: last };
      const { stdout } = await charnn(t, ["doctor", "--json"], { env });
      const [{ backends }] = jsonLines(stdout);
      assert.equal(backends[0].instructionSet, last);
    },
  );
});

const onLinux = { skip: process.platform !== "linux" && "ulimit -v is Linux's" };

/** Runs a command with 4 GB of addresses. */
function withFewAddresses(command: string, env: NodeJS.ProcessEnv = {}) {
  const program = fileURLToPath(new URL("../../bin/charnn.js", import.meta.url));
  const line = `ulimit -v 4000000; exec "${process.execPath}" "${program}" ${command}`;
  return spawnSync("sh", ["-c", line], {
    env: { ...plainEnvironment(), ...env },
    encoding: "utf8",
  });
}

slow(
  "The wasm backend loads where few addresses are left, or says what helps",
  onLinux,
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const sample = `sample "${path.join(cwd, "checkpoints", "fox")}" -n 20 --random-seed 1 --backend wasm`;
    const { stdout: expected } = await charnn(t, [...sample.replaceAll('"', "").split(" ")], {
      cwd,
    });
    assert.equal(expected.length, 21);
    const { status, stdout, stderr } = withFewAddresses(sample);
    // Since version 24 Node.js itself reserves less where it must.
    if (status === 0) return assert.equal(stdout, expected);
    const [message, hint] = stderr.trim().split("\n");
    assert.equal(
      message,
      "Error: The wasm backend does not load: the system does not let it reserve memory.",
    );
    const [, option] = /NODE_OPTIONS=(\S+), which is slower\.$/.exec(hint) ?? [];
    if (!process.allowedNodeEnvironmentFlags.has("--disable-wasm-trap-handler")) {
      return assert.equal(hint, "Let it have more address space (ulimit -v unlimited).");
    }
    const helped = withFewAddresses(sample, { NODE_OPTIONS: option });
    assert.deepEqual([helped.status, helped.stdout, helped.stderr], [0, expected, ""]);
  },
);

slow("The wasm backend uses the given number of threads, and warns of fewer", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const run = async (threads: string) => {
    const args = ["sample", "-n", "5", "--random-seed", "1", "--backend", "wasm"];
    const { code, stdout, stderr } = await charnn(t, [...args, "--threads", threads], { cwd });
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout;
  };
  assert.equal(await run("4"), await run("1"));
  if (process.platform !== "linux") return;
  const bench = "bench --hidden-size 8 --steps 1 --json --backend wasm --threads 40";
  const env = { NODE_OPTIONS: "--disable-wasm-trap-handler" };
  if (!process.allowedNodeEnvironmentFlags.has(env.NODE_OPTIONS)) return;
  const { status, stdout, stderr } = withFewAddresses(bench, env);
  assert.equal(status, 0, stderr);
  const { threads } = JSON.parse(stdout);
  assert.ok(threads >= 1 && threads < 40);
  const uses = threads === 1 ? "one thread" : `${threads} threads`;
  assert.equal(stderr, `Warning: The wasm backend uses ${uses}, not 40.\n`);
});
