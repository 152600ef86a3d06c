import { existsSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TensorFlowFacts } from "../backends/backend.js";
import { tensorFlowFolder } from "../backends/tensorflow/folder.js";
import { dataFolder } from "../data-folder.js";
import { isStillRunning, type ProcessIdentity, thisProcess } from "../processes.js";
import { systemErrorCode } from "../system-error-code.js";
import {
  cannotInstall,
  checkSpace,
  findTools,
  NETWORK,
  runTool,
  spaceHint,
  TENSORFLOW,
  TENSORFLOW_SIZES,
  type TensorFlowBuild,
  type Tools,
} from "./tools.js";

const TFJS_NODE = "@tensorflow/tfjs-node@4.22.0";
/** The newest Node-API that it was written for. */
const NEWEST_NODE_API = 8;
const NODE_API_HEADERS = "node-api-headers@1.9.0";
const VERSION = "2.21.0";
/** The wheels for Python 3.11, whose libraries know nothing of Python. */
const WHEELS: Readonly<Record<TensorFlowBuild, { readonly name: string; readonly hash: string }>> =
  {
    cpu: {
      name: "tensorflow-cpu",
      hash: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
    },
    gpu: {
      name: "tensorflow",
      hash: "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
    },
  };
const WHEEL_OPTIONS = [
  ...["--only-binary", ":all:", "--no-deps"],
  ...["--python-version", "3.11", "--platform", "manylinux_2_27_x86_64"],
];
/** In the wheel, and the names by which tfjs-node's addon asks for them. */
const LIBRARIES = [
  { file: "libtensorflow_cc.so.2", link: "libtensorflow.so" },
  { file: "libtensorflow_framework.so.2", link: "libtensorflow_framework.so" },
];

/** Takes from a wheel what belongs under tfjs-node's `deps/`; any Python can run it. */
const UNPACK = `
import os, shutil, sys, zipfile
wheel, deps = sys.argv[1:3]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith("tensorflow/include/") and name.endswith((".h", ".inc")):
            target = os.path.join(deps, "include", name[len("tensorflow/include/"):])
        elif os.path.basename(name) in sys.argv[3:] and os.path.dirname(name) == "tensorflow":
            target = os.path.join(deps, "lib", os.path.basename(name))
        else:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(name) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
`;

/** How the names of folders begin in which an installation is under way, and the file that says whose it is. */
const UNFINISHED = "unfinished-";
const OWNER = "owner.json";
/** Longer than an installation takes. */
const MAX_MILLISECONDS = 24 * 60 * 60 * 1_000;

export interface InstallTensorFlowOptions {
  /** Default: `cpu`. */
  readonly build?: TensorFlowBuild | undefined;
  /** Asked before anything is downloaded. */
  readonly mayDownload?: () => boolean | Promise<boolean>;
  /** Called with what begins, a short line each. */
  readonly onStep?: (what: string) => void;
  /** Aborted: nothing is installed, and nothing left. */
  readonly signal?: AbortSignal | undefined;
  /** Python and a C++ compiler, where not the usual ones. */
  readonly python?: string | undefined;
  readonly compiler?: string | undefined;
}

export interface InstalledTensorFlow extends TensorFlowFacts {
  readonly folder: string;
  /** It is installed already, and works. */
  readonly wasInstalled: boolean;
}

/**
 * Installs what the tensorflow backend needs into charnn's data folder: TensorFlow's library from its
 * PyPI wheel, and the addon of tfjs-node, compiled for this Node.js. What is there and works stays as
 * it is. Nothing is left of a failure.
 *
 * @returns undefined where it may not be downloaded
 * @throws CharnnError `CANNOT_INSTALL` that says what is missing, and how to get it
 */
export async function installTensorFlow(
  options: InstallTensorFlowOptions = {},
): Promise<InstalledTensorFlow | undefined> {
  const folder = tensorFlowFolder();
  const { build = "cpu", mayDownload = () => true, onStep = () => {}, signal } = options;
  // The one for graphics processors is good for processors as well.
  if (existsSync(folder) && (build === "cpu" || (await buildIn(folder)) === "gpu")) {
    onStep("Trying what is there");
    const found = await tryTraining(dataFolder(), signal).catch(() => undefined);
    if (found !== undefined) return { folder, ...found, wasInstalled: true };
  }
  signal?.throwIfAborted();
  const tools = await findTools(options);
  if (!(await mayDownload())) return undefined;
  const unfinishedFolder = await makeUnfinishedFolder(folder);
  const unfinished = tensorFlowFolder(unfinishedFolder);
  try {
    await checkSpace(TENSORFLOW, unfinishedFolder, TENSORFLOW_SIZES[build].needed);
    await mkdir(unfinished, { recursive: true });
    await fetchPackages(unfinished, build, tools, onStep);
    onStep("Compiling the addon");
    await compileAddon(unfinished, tools);
    onStep("Training a step");
    const found = await tryTraining(unfinishedFolder, signal);
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
    return { folder, ...found, wasInstalled: false };
  } catch (error) {
    if (systemErrorCode(error) !== "ENOSPC") throw error;
    throw cannotInstall(
      TENSORFLOW,
      `the disk of ${dirname(folder)} is full`,
      spaceHint(folder),
      error,
    );
  } finally {
    await rm(unfinishedFolder, { recursive: true, force: true });
  }
}

/** Keeps which wheel the libraries are from, as pip writes it. */
function wheelFile(folder: string): string {
  return join(folder, "deps", "wheel.txt");
}

async function buildIn(folder: string): Promise<TensorFlowBuild> {
  const wheel = await readFile(wheelFile(folder), "utf8").catch(() => "");
  return wheel.startsWith(`${WHEELS.gpu.name}==`) ? "gpu" : "cpu";
}

/** A separate data folder beside the existing one, for what is not finished yet. */
async function makeUnfinishedFolder(folder: string): Promise<string> {
  try {
    await mkdir(dirname(folder), { recursive: true });
    await removeUnfinished(dirname(folder));
    const made = await mkdtemp(join(dirname(folder), UNFINISHED));
    await writeFile(join(made, OWNER), JSON.stringify(thisProcess()));
    return made;
  } catch (cause) {
    const hint = "XDG_DATA_HOME names another place.";
    throw cannotInstall(TENSORFLOW, `${dirname(folder)} can't be written`, hint, cause);
  }
}

/**
 * Removes what was left by processes that had no time to: processes that have surely ended, and, after longer
 * than any installation takes, those that can't be checked from here, such as in another container.
 */
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const leftover = join(folder, name);
    if (name.startsWith(UNFINISHED) && (await isLeft(leftover))) {
      await rm(leftover, { recursive: true, force: true });
    }
  }
}

async function isLeft(path: string): Promise<boolean> {
  try {
    const owner: unknown = JSON.parse(await readFile(join(path, OWNER), "utf8"));
    const isRunning = isStillRunning(owner as ProcessIdentity);
    if (isRunning !== undefined) return !isRunning;
  } catch {
    // It was made a moment ago, or by an earlier version.
  }
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > MAX_MILLISECONDS;
}

/** Leaves the package of tfjs-node in the folder, with TensorFlow under its `deps/`. */
async function fetchPackages(
  folder: string,
  build: TensorFlowBuild,
  { python, signal }: Tools,
  onStep: (what: string) => void,
): Promise<void> {
  const downloads = join(folder, "downloads");
  const deps = join(folder, "deps");
  await mkdir(downloads);
  onStep("Downloading tfjs-node");
  await fetchNpmPackage(TFJS_NODE, downloads, folder, signal);
  await fetchNpmPackage(NODE_API_HEADERS, downloads, join(deps, "node-api"), signal);
  onStep(`Downloading TensorFlow ${VERSION}, ${TENSORFLOW_SIZES[build].download / 1e6} MB`);
  const requirements = wheelFile(folder);
  const { name, hash } = WHEELS[build];
  await writeFile(requirements, `${name}==${VERSION} --hash=sha256:${hash}\n`);
  const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"];
  const what = ["--require-hashes", "--requirement", requirements, "--dest", downloads];
  const download = [...pip, ...WHEEL_OPTIONS, ...what];
  await runTool(`pip can't download TensorFlow ${VERSION}`, python, download, {
    signal,
    hint: NETWORK,
  });
  onStep("Unpacking it");
  const wheel = (await readdir(downloads)).find((name) => name.endsWith(".whl")) as string;
  const files = LIBRARIES.map(({ file }) => file);
  const unpack = ["-c", UNPACK, join(downloads, wheel), deps, ...files];
  await runTool("TensorFlow can't be unpacked", python, unpack, { signal });
  await rm(downloads, { recursive: true });
  for (const { file, link } of LIBRARIES) await symlink(file, join(deps, "lib", link));
}

async function fetchNpmPackage(
  name: string,
  downloads: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pack = ["pack", name, "--json", "--loglevel=error", "--pack-destination", downloads];
  const packed = await runTool(`npm can't download ${name}`, "npm", pack, {
    signal,
    hint: NETWORK,
  });
  const [{ filename }] = JSON.parse(packed);
  // Older versions of npm name the scope, but not the file, as it is.
  const archive = join(downloads, filename.replace(/^@/, "").replace("/", "-"));
  const unpack = ["-xzf", archive, "--strip-components=1", "-C", folder];
  await runTool(`${name} can't be unpacked`, "tar", unpack, { signal });
}

/** Compiles the addon for this Node.js's Node-API alone, and removes what only that needs. */
async function compileAddon(folder: string, { compiler, signal }: Tools): Promise<void> {
  const version = Math.min(Number(process.versions.napi), NEWEST_NODE_API);
  const to = join(folder, "lib", `napi-v${version}`);
  const deps = join(folder, "deps");
  const headers = [join(deps, "include"), join(deps, "node-api", "include")];
  await mkdir(to, { recursive: true });
  const args = [
    ...["-std=c++17", "-O2", "-w", "-fPIC", "-shared", `-DNAPI_VERSION=${version}`],
    ...headers.map((path) => `-I${path}`),
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(folder, "binding", name)),
    ...[`-L${join(deps, "lib")}`, "-ltensorflow", "-ltensorflow_framework"],
    ...["-Wl,-rpath,$ORIGIN/../../deps/lib", "-o", join(to, "tfjs_binding.node")],
  ];
  await runTool("the addon of tfjs-node can't be compiled", compiler, args, { signal });
  for (const path of headers) await rm(path, { recursive: true });
}

/**
 * Trains some steps in a separate process, so that a crash does no harm here.
 *
 * @param dataFolder the data folder whose TensorFlow is tried
 */
async function tryTraining(
  dataFolder: string,
  signal: AbortSignal | undefined,
): Promise<TensorFlowFacts> {
  const program = fileURLToPath(new URL("../../bin/charnn.js", import.meta.url));
  const env = { XDG_DATA_HOME: dataFolder };
  const args = [program, "doctor", "--json"];
  const output = await runTool("it can't be tried", process.execPath, args, { env, signal });
  const backends: { name: string; why?: string; tensorflow?: TensorFlowFacts }[] =
    JSON.parse(output).backends;
  const found = backends.find(({ name }) => name === "tensorflow");
  if (found?.tensorflow === undefined)
    throw cannotInstall(TENSORFLOW, `it does not load: ${found?.why}`);
  return found.tensorflow;
}
