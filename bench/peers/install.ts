/**
 * Installs what charnn is compared with: PyTorch, Keras and more into a virtual environment of Python, in the
 * versions of `requirements.txt`, and beside them onnxruntime-web, and tfjs-node where TensorFlow is installed for
 * charnn. What is there is left alone.
 *
 *     npm run peers
 *     npm run peers -- --tests   # what the tests use alone, without TensorFlow
 *
 * PYTHON names another Python than python3, CHARNN_PEERS another folder than ~/.cache/charnn-peers.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { dataFolder } from "#src/data-folder.js";
import { modulesWithTfjs, onnxruntimeWeb, PEERS, PEERS_PYTHON } from "./find.js";

const ALL = requirements("requirements.txt");
const OF_TESTS = requirements("requirements-tests.txt");
const {
  values: { tests: isForTests },
} = parseArgs({ options: { tests: { type: "boolean", default: false } } });
const REQUIREMENTS = isForTests ? OF_TESTS : ALL;
/** Copies of the requirements that were installed. */
const INSTALLED = path.join(PEERS, "installed-requirements.txt");
const ONNXRUNTIME_WEB = "onnxruntime-web@1.30.0";
const TFJS_NODE = "@tensorflow/tfjs-node@4.22.0";

const isInstalled = installPython() && installOnnxruntimeWeb() && installTfjs();
if (isInstalled) console.log(`The peers are in ${PEERS}.`);
else process.exitCode = 1;

function installPython(): boolean {
  const installed = read(INSTALLED);
  const isThere = installed === contentOf(ALL) || installed === contentOf(REQUIREMENTS);
  if (isThere && existsSync(PEERS_PYTHON)) return true;
  const python = process.env.PYTHON || (process.platform === "win32" ? "python" : "python3");
  console.log(
    `Installing PyTorch, Keras${isForTests ? "" : ", TensorFlow"} and others into ${PEERS}: some 5 GB, which takes minutes.`,
  );
  mkdirSync(PEERS, { recursive: true });
  const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"];
  const isDone =
    (existsSync(PEERS_PYTHON) || succeeds(python, ["-m", "venv", PEERS])) &&
    succeeds(PEERS_PYTHON, [...pip, "--requirement", REQUIREMENTS]);
  if (isDone) writeFileSync(INSTALLED, contentOf(REQUIREMENTS));
  return isDone;
}

/** 150 MB. */
function installOnnxruntimeWeb(): boolean {
  return onnxruntimeWeb() !== undefined || installPackage(ONNXRUNTIME_WEB);
}

/** With its JavaScript, on the TensorFlow that charnn installs. */
function installTfjs(): boolean {
  const tensorflow = path.join(dataFolder(), "charnn", "tensorflow");
  if (modulesWithTfjs()) return true;
  if (!existsSync(tensorflow)) {
    console.log("Without tfjs-node, which is compared with too after this:");
    console.log("    node bin/charnn.js doctor --install-tensorflow && npm run peers");
    return true;
  }
  if (!installPackage(TFJS_NODE)) return false;
  const folder = path.join(PEERS, "node_modules", "@tensorflow", "tfjs-node");
  for (const name of ["lib", "deps"]) {
    const link = path.join(folder, name);
    rmSync(link, { recursive: true, force: true });
    symlinkSync(path.join(tensorflow, name), link);
  }
  return true;
}

/** Installs a package of npm without running what it brings. */
function installPackage(name: string): boolean {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  return succeeds("npm", ["install", "--prefix", PEERS, "--ignore-scripts", ...quiet, name]);
}

function requirements(name: string): string {
  return fileURLToPath(new URL(`../../bench/peers/${name}`, import.meta.url));
}

/** Requirements with those that they name by `-r`, so that a change of either is seen. */
function contentOf(file: string): string {
  const all = readFileSync(OF_TESTS, "utf8");
  return file === ALL ? readFileSync(ALL, "utf8") + all : all;
}

function succeeds(program: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(program, args, {
    stdio: "inherit",
    // npm is a script there.
    shell: process.platform === "win32" && program === "npm",
  });
  if (error) console.error(`${program} does not run: ${error.message}`);
  return status === 0;
}

function read(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
