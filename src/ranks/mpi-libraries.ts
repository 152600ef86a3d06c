/** Where the MPI library that belongs to a launcher may be. */
import { existsSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";

/** MPIs whose libraries have the same name, and can take each other's place. */
export type MpiFamily = "Open MPI" | "MPICH";

const NAMES: Readonly<Record<"linux" | "darwin", Readonly<Record<MpiFamily, readonly string[]>>>> =
  {
    linux: {
      "Open MPI": ["libmpi.so.40"],
      // MPICH itself, Intel's and others; Debian's; the standard's interface, which MPICH 5 has beside its own.
      MPICH: ["libmpi.so.12", "libmpich.so.12", "libmpi_abi.so.1"],
    },
    darwin: {
      "Open MPI": ["libmpi.40.dylib"],
      MPICH: ["libmpi.12.dylib", "libmpi_abi.1.dylib"],
    },
  };

/** Homebrew's, which the loader of macOS does not look into. */
const FOLDERS_OF_MACOS = ["/opt/homebrew/lib", "/usr/local/lib"];

/** Programs that start the processes of a machine; some have an ending: mpiexec.hydra. */
const LAUNCHERS =
  /^(?:mpirun|mpiexec|orterun|orted|prte|prted|prterun|hydra_pmi_proxy|hydra_bstrap_proxy)(?:\.\w+)?$/;

/** More than any shell and script between a launcher and this process. */
const MAX_GENERATIONS = 16;

/** What is known of the system. */
export interface MpiSystem {
  readonly platform: NodeJS.Platform;
  /** The path of the program that started the processes of this machine, if it can be found. */
  readonly program: string | undefined;
}

/**
 * The libraries of some families, each first where the launcher is installed: another version may be where the
 * system's loader looks, and does not work with every launcher. Then the names for the loader.
 */
export function mpiLibraries(
  families: readonly MpiFamily[],
  environment: Readonly<Record<string, string | undefined>>,
  { platform, program }: MpiSystem = thisSystem(environment),
): string[] {
  if (platform !== "linux" && platform !== "darwin") return [];
  const names = families.flatMap((family) => NAMES[platform][family]);
  const root = program === undefined ? [] : [path.join(path.dirname(program), "..")];
  const beside = root.flatMap((folder) => [path.join(folder, "lib"), path.join(folder, "lib64")]);
  // One of the folders may be a link to the other.
  const inFolders = (folders: readonly string[]) =>
    names.flatMap((name) => {
      const files = folders.map((folder) => path.join(folder, name));
      return files.find((file) => existsSync(file)) ?? [];
    });
  const others = platform === "darwin" ? inFolders(FOLDERS_OF_MACOS) : [];
  return [...inFolders(beside), ...names, ...others];
}

function thisSystem(environment: Readonly<Record<string, string | undefined>>): MpiSystem {
  const { platform } = process;
  const program = platform === "linux" ? launcherAbove() : programInPath(environment.PATH);
  return { platform, program };
}

/** The nearest process above this one that is a launcher. */
function launcherAbove(): string | undefined {
  try {
    let parent = process.ppid;
    for (let generation = 0; generation < MAX_GENERATIONS && parent > 0; generation++) {
      const program = readlinkSync(`/proc/${parent}/exe`);
      if (LAUNCHERS.test(path.basename(program))) return program;
      const [, found] =
        /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${parent}/status`, "latin1")) ?? [];
      parent = Number(found);
    }
  } catch {
    // Of another user, or in another container.
  }
  return undefined;
}

/** Its links are followed: Homebrew's lead to the folder that has its library too. */
function programInPath(folders = ""): string | undefined {
  const files = folders.split(path.delimiter).map((folder) => path.join(folder, "mpirun"));
  const file = files.find((test) => existsSync(test));
  return file === undefined ? undefined : realpathSync(file);
}
