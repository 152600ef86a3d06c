import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { dataFolder } from "#src/data-folder.js";
import { thisProcess } from "#src/processes.js";
import { checkSpace } from "#src/setup/tools.js";
import { copiedProgram } from "../helpers/copied-program.js";
import { charnn, foxFolder, jsonLines, outcomeOf, startCharnn } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";
import { onTensorFlow } from "../helpers/tensorflow.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const INSTALL = ["doctor", "--install-tensorflow", "--yes"];
/** Where the tests' own TensorFlow is. */
const env = { XDG_DATA_HOME: dataFolder() };

await onTensorFlow("The program with TensorFlow", () => {
  slow(
    "The program with TensorFlow trains without output of TensorFlow's, and its run is resumed by another backend and sampled by a third",
    async (t) => {
      const cwd = await foxFolder(t);
      const shape = ["--layers", "2", "--hidden-size", "12", "--dropout", "0.2", "--quiet"];
      for (const cell of ["gru", "lstm", "rnn"]) {
        const train = ["train", "fox.txt", "--name", cell, "--cell", cell, "--steps", "4"];
        const first = await charnn(t, [...train, ...shape, "--backend", "tensorflow"], {
          cwd,
          env,
        });
        assert.deepEqual({ code: first.code, stderr: first.stderr }, { code: 0, stderr: "" });
        const resume = ["train", "fox.txt", "--name", cell, "--resume", "--steps", "8", "--quiet"];
        const second = await charnn(t, [...resume, "--backend", "auto"], { cwd, env });
        assert.deepEqual({ code: second.code, stderr: second.stderr }, { code: 0, stderr: "" });
        const third = [...resume.with(6, "12"), "--backend", "tensorflow"];
        const { code, stderr } = await charnn(t, third, { cwd, env });
        assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
        const texts = [];
        for (const backend of ["tensorflow", "wasm"]) {
          const sample = [
            "sample",
            cell,
            "-n",
            "30",
            "--seed",
            "fox",
            "--random-seed",
            "1",
            "--backend",
            backend,
          ];
          const { code, stdout, stderr } = await charnn(t, sample, { cwd, env });
          assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
          texts.push(stdout);
        }
        assert.equal(texts[0], texts[1]);
      }
    },
  );

  slow("The program with TensorFlow learns what the wasm backend learns", async (t) => {
    const cwd = await foxFolder(t);
    const losses = [];
    for (const backend of ["tensorflow", "wasm"]) {
      const train = ["train", "fox.txt", "--name", backend, "--backend", backend, "--json"];
      const shape = ["--hidden-size", "16", "--steps", "50"];
      const { code, stdout, stderr } = await charnn(t, [...train, ...shape], { cwd, env });
      assert.equal(code, 0, stderr);
      const end = jsonLines(stdout).find(({ event }) => event === "eval");
      losses.push(end.validationLoss);
    }
    assert.ok(Math.abs(losses[0] - losses[1]) < 1e-3, `${losses}`);
  });

  slow(
    "The program with TensorFlow says its version in doctor, which finds nothing to install",
    async (t) => {
      const { stdout } = await charnn(t, ["doctor"], { env });
      assert.match(
        stdout,
        /^tensorflow +loads: .* TensorFlow 2\.\d+\.\d+( on a GPU)?( with cuDNN)?$/m,
      );
      const { code, stderr } = await charnn(t, INSTALL, { env });
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^TensorFlow 2\.\d+\.\d+ is installed already, and works: /m);
    },
  );

  slow(
    "The program with TensorFlow takes the addon of the npm package where npm could install it",
    async (t) => {
      const program = await copiedProgram(t);
      const scope = path.join(path.dirname(program), "../dist/node_modules/@tensorflow");
      await mkdir(scope, { recursive: true });
      await symlink(
        path.join(env.XDG_DATA_HOME, "charnn/tensorflow"),
        path.join(scope, "tfjs-node"),
      );
      const bench = ["bench", "--backend", "tensorflow", "--steps", "1", "--json"];
      const { code, stdout, stderr } = await charnn(t, bench, { program });
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      assert.equal(jsonLines(stdout)[0].backend, "tensorflow");
    },
  );

  const linux = { skip: process.platform !== "linux" && "threads are counted in Linux's /proc" };

  slow("The program with TensorFlow uses as many threads as --threads says", linux, async () => {
    const [one, five] = [1, 5].map((threads) => {
      const program = `
        import { readdirSync } from "node:fs";
        import { benchmark } from "#src/index.js";
        const { threads } = await benchmark({ backend: "tensorflow", threads: ${threads}, steps: 1 });
        console.log(threads, readdirSync("/proc/self/task").length);`;
      const args = ["--input-type=module", "-e", program];
      const output = execFileSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
      const [told, running] = output.split(" ").map(Number);
      assert.equal(told, threads);
      return running;
    });
    assert.equal(five - one, 4);
  });
});

test("Where TensorFlow is not installed, a command with --backend tensorflow says how to install it", async (t) => {
  const cwd = await foxFolder(t);
  const train = ["train", "fox.txt", "--backend", "tensorflow"];
  const { code, stdout, stderr } = await charnn(t, train, { cwd });
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
  // npm may have installed the package without its addon.
  assert.match(
    stderr,
    /^Error: The tensorflow backend does not load: (@tensorflow\/tfjs-node is not installed|the addon of @tensorflow\/tfjs-node was not built)\.\nRun: charnn doctor --install-tensorflow\n$/,
  );
});

const linux = {
  skip: (process.platform !== "linux" || process.arch !== "x64") && "only for Linux on x64",
};

test(
  "Where TensorFlow is not installed, nothing is installed without consent",
  linux,
  async (t) => {
    const data = await temporaryFolder(t);
    const programs = await folderOf(t, { python3: "exit 0", "c++": "exit 0" });
    for (const [args, download, takes] of [
      [[], 274, 860],
      [["--gpu"], 574, 1270],
    ] as const) {
      const { code, stdout, stderr } = await charnn(t, [...INSTALL.slice(0, 2), ...args], {
        env: { PATH: programs, XDG_DATA_HOME: data },
      });
      assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
      const sizes = `TensorFlow is ${download} MB to download and takes ${takes} MB in charnn's data`;
      assert.ok(stderr.startsWith(sizes), stderr);
      const again = ["charnn", ...INSTALL.slice(0, 2), ...args, "--yes"].join(" ");
      assert.ok(stderr.endsWith(`In a script, add --yes: ${again}\n`), stderr);
    }
    assert.deepEqual(readdirSync(data), []);
  },
);

slow(
  "Where TensorFlow is not installed, each missing requirement gets its line, and nothing is left behind",
  linux,
  async (t) => {
    const nowhere = "http://127.0.0.1:9/";
    const network = {
      npm_config_registry: nowhere,
      npm_config_fetch_retries: "0",
      PIP_INDEX_URL: nowhere,
      PIP_RETRIES: "0",
    };
    const cases: [programs: Record<string, string>, says: RegExp][] = [
      [{}, /: python3 with pip is missing\.\nInstall it \(apt-get install python3-pip\), or/],
      [
        { python3: "exit 0" },
        /: there is no C\+\+ compiler \(c\+\+, g\+\+, clang\+\+\)\.\nInstall/,
      ],
      [
        { python3: "exit 0", "c++": "exit 0" },
        /: npm can't download .*, because npm is missing\.\n/,
      ],
      [
        { python3: "exit 0", "c++": "exit 0", npm: "echo 'npm error network' >&2; exit 1" },
        /: npm can't download @tensorflow\/tfjs-node@4\.22\.0 \(network\)\.\nIs there a network\? /,
      ],
    ];
    for (const [programs, says] of cases) {
      const data = await temporaryFolder(t);
      const own = { PATH: await folderOf(t, programs), XDG_DATA_HOME: data, ...network };
      const { code, stdout, stderr } = await charnn(t, INSTALL, { env: own });
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "" }, stderr);
      assert.match(stderr, /^Error: TensorFlow can't be installed: [^\n]+\n/m);
      assert.match(stderr, says);
      const left = existsSync(path.join(data, "charnn"))
        ? readdirSync(path.join(data, "charnn"))
        : [];
      assert.deepEqual(left, []);
    }
  },
);

test(
  "Where TensorFlow is not installed, a signal leaves nothing behind, and the leftovers of killed installations are removed",
  linux,
  async (t) => {
    const data = await temporaryFolder(t);
    const self = thisProcess();
    const make = async (name: string, owner: object) => {
      const folder = path.join(data, "charnn", name);
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, "owner.json"), JSON.stringify(owner));
      return folder;
    };
    await make("unfinished-of-one-that-ended", { ...self, start: "1" });
    const elsewhere = { ...self, boot: "of another system" };
    const old = await make("unfinished-elsewhere-long-ago", elsewhere);
    await utimes(old, 0, 0);
    // Those who may still be at work keep theirs.
    await make("unfinished-elsewhere", elsewhere);
    await make("unfinished-here", self);
    const atWork = ["unfinished-elsewhere", "unfinished-here"];
    const programs = { python3: "exit 0", "c++": "exit 0", npm: "exec /bin/sleep 50" };
    const own = { PATH: await folderOf(t, programs), XDG_DATA_HOME: data };
    for (const [signal, expected] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const child = await startCharnn(t, INSTALL, { env: own });
      child.stderr.on("data", (bytes: Buffer) => {
        if (bytes.includes("Downloading tfjs-node")) child.kill(signal);
      });
      const { code, stdout, stderr } = await outcomeOf(child);
      assert.deepEqual({ code, stdout }, { code: expected, stdout: "" }, stderr);
      assert.match(stderr, /\nDownloading tfjs-node \.\.\.\nStopping; nothing is left of it\.\n$/);
      assert.deepEqual(readdirSync(path.join(data, "charnn")).toSorted(), atWork);
    }
  },
);

slow(
  "Where TensorFlow is not installed, an addon that does not load is named, with what helps",
  linux,
  async (t) => {
    const damaged = { "lib/napi-v3/tfjs_binding.node": "This is no addon.\n".repeat(10) };
    const cases: [files: Record<string, string>, says: RegExp][] = [
      [{ "package.json": "{}" }, /: the addon of @tensorflow\/tfjs-node was not built\.\nRun/],
      [
        { "package.json": "{}", ...damaged },
        /: its addon can't be loaded \(.*tfjs_binding\.node.*\)\.\nRun/,
      ],
    ];
    for (const [files, says] of cases) {
      const inPackage = Object.entries(files).map(([name, content]) => [
        `dist/node_modules/@tensorflow/tfjs-node/${name}`,
        content,
      ]);
      const program = await copiedProgram(t, Object.fromEntries(inPackage));
      const bench = ["bench", "--backend", "tensorflow"];
      const { code, stdout, stderr } = await charnn(t, bench, { program });
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
      assert.match(stderr, says);
    }
  },
);

test(
  "Where TensorFlow is not installed, a data folder that can't be written is named",
  linux,
  async (t) => {
    const folder = await temporaryFolder(t);
    const file = path.join(folder, "file");
    await writeFile(file, "");
    const programs = await folderOf(t, { python3: "exit 0", "c++": "exit 0" });
    const own = { PATH: programs, XDG_DATA_HOME: file };
    const { code, stderr } = await charnn(t, INSTALL, { env: own });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /can't be installed: .*file\/charnn can't be written\.\nXDG_DATA_HOME names/,
    );
  },
);

test("Where TensorFlow is not installed, a disk with too little room is named", linux, async () => {
  await assert.rejects(
    checkSpace("TensorFlow", "/proc/self", 1500e6),
    /\/proc has 0 MB left, and it needs 1500 MB\.$/,
  );
});

/** A folder with programs, each some lines of shell. */
async function folderOf(t: TestContext, programs: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder(t);
  await mkdir(folder, { recursive: true });
  await symlink("/bin/sh", path.join(folder, "sh"));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return folder;
}
