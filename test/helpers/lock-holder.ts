import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { RunFolder } from "#src/runs/run-folder.js";
import { PLACES, type Place } from "./namespaces.js";

export interface HolderOptions {
  readonly place?: Place;
  /** The executable of a copy of the program; its lock is the one that is taken. */
  readonly program?: string | undefined;
  /** Words before the command in its place, such as a tracer. */
  readonly under?: readonly string[];
}

const PROGRAM = `
  import { createInterface } from "node:readline";
  const [module, folders, out, name] = process.argv.slice(1);
  const { lockRun } = await import(module);
  const { runFolder } = await import(folders);
  let lock;
  const does = {
    take: async () => { lock = await lockRun(runFolder(out, name)); return "taken"; },
    check: async () => { await lock.check(); return "ours"; },
    release: async () => { await lock.release(); return "released"; },
    block: async () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000); return "blocked"; },
    leave: async () => { process.stdin.destroy(); return "leaving"; },
  };
  createInterface({ input: process.stdin }).on("line", async (line) => {
    const says = await does[line]().catch((error) => (error.code ?? "") + " " + error.message);
    process.stdout.write(says + "\\n");
  });
  process.stdout.write("ready " + process.pid + "\\n");`;

/** A process that takes a run, and does more with its lock, when it is told to. */
class HolderProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(
    t: TestContext,
    run: RunFolder,
    { place = "here", program, under = [] }: HolderOptions = {},
  ) {
    const moduleOf = (name: string) =>
      program === undefined
        ? import.meta.resolve(`#src/runs/${name}.js`)
        : pathToFileURL(path.join(program, "../../dist/runs", `${name}.js`)).href;
    const node = [process.execPath, "--input-type=module", "-e", PROGRAM];
    const modules = [moduleOf("lock"), moduleOf("run-folder")];
    const [command, ...args] = [
      ...PLACES[place],
      ...under,
      ...node,
      ...modules,
      path.dirname(run.path),
      run.name,
    ];
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    t.after(() => this.#child.kill("SIGKILL"));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** What it says next. */
  async says(): Promise<string> {
    const { value, done } = await this.#lines.next();
    return done ? "nothing: it has ended" : value;
  }

  async ready(): Promise<this> {
    const says = await this.says();
    if (!says.startsWith("ready")) throw new Error(says);
    return this;
  }

  tell(what: "take" | "check" | "release" | "block" | "leave"): void {
    this.#child.stdin.write(`${what}\n`);
  }

  async asked(what: Parameters<HolderProcess["tell"]>[0]): Promise<string> {
    this.tell(what);
    return this.says();
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    process.kill(this.pid, name);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await once(this.#child, "close");
  }

  async end(): Promise<number | null> {
    const [code] = await once(this.#child, "exit");
    return code;
  }
}

/** A process that may take the run. */
export function holderOf(t: TestContext, run: RunFolder, options?: HolderOptions) {
  return new HolderProcess(t, run, options).ready();
}
