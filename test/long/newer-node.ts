/** TensorFlow on a Node.js newer than those that tfjs-node was written for. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import { it } from "node:test";
import { dataFolder } from "#src/data-folder.js";
import { EXECUTABLE, foxFolder } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { onTensorFlow } from "../helpers/tensorflow.js";

const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"];

await onTensorFlow("TensorFlow on a newer Node.js", () => {
  it("trains and writes as on this one", async (t) => {
    const folder = await temporaryFolder(t);
    const asked = spawnSync("npm", ["install", "--prefix", folder, "node@24", ...QUIET]);
    if (asked.status !== 0) return t.skip("node@24 can't be had from the registry");
    const newer = path.join(folder, "node_modules", "node", "bin", "node");
    const cwd = await foxFolder(t);
    const env = { ...process.env, XDG_DATA_HOME: dataFolder() };
    const texts = [process.execPath, newer].map((node, index) => {
      const charnn = (...args: string[]) => {
        const all = [EXECUTABLE, ...args, "--backend", "tensorflow"];
        const { status, stdout, stderr } = spawnSync(node, all, { cwd, env, encoding: "utf8" });
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        return stdout;
      };
      charnn("train", "fox.txt", "--name", `run-${index}`, "--steps", "20", "--quiet");
      return charnn("sample", `run-${index}`, "-n", "50", "--random-seed", "1");
    });
    assert.equal(texts[1], texts[0]);
    const version = execFileSync(newer, ["--version"], { encoding: "utf8" });
    assert.match(version, /^v24\./);
  });

  it("is compiled for it by the installation", async (t) => {
    const folder = await temporaryFolder(t);
    const asked = spawnSync("npm", ["install", "--prefix", folder, "node@24", ...QUIET]);
    if (asked.status !== 0) return t.skip("node@24 can't be had from the registry");
    const programs = path.join(folder, "node_modules", "node", "bin");
    const env = {
      ...process.env,
      PATH: `${programs}${path.delimiter}${process.env.PATH}`,
      XDG_DATA_HOME: path.join(folder, "data"),
    };
    const install = [EXECUTABLE, "doctor", "--install-tensorflow", "--yes", "--json"];
    const output = execFileSync(path.join(programs, "node"), install, { env, encoding: "utf8" });
    const { node, backends } = JSON.parse(output);
    assert.match(node, /^v24\./);
    const found = backends.find(({ name }: { name: string }) => name === "tensorflow");
    assert.ok(found.loads && found.trainCharsPerSecond > 0, JSON.stringify(found));
  });
});
