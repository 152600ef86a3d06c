import { lstatSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const isWindows = process.platform === "win32";

/** Why a test of POSIX permissions, pipes or devices is skipped; false where they are there. */
export const noPosix = isWindows && "Windows has no such files";
/** Why a test that types lines into bash is skipped: Windows has other paths, signals and devices even with one. */
export const noShell = isWindows && "Windows has other shells";
/** Why a test with symbolic links is skipped; false where they can be made, for which Windows has a privilege. */
export const noLinks = !canLink() && "symbolic links can't be made here";

/** A text with slashes between the folders of its paths, as other systems than Windows have them. */
export function slashed(text: string): string {
  return text.replaceAll(path.sep, "/");
}

function canLink(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), "charnn-link-"));
  try {
    const link = path.join(folder, "link");
    symlinkSync("nowhere", link);
    return lstatSync(link).isSymbolicLink();
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
