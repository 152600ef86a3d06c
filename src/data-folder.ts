import { homedir } from "node:os";
import { posix, win32 } from "node:path";

/**
 * Where programs keep what they need but users don't look at: on any system where `XDG_DATA_HOME` says, or else
 * the system's usual place.
 */
export function dataFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (env.XDG_DATA_HOME) return env.XDG_DATA_HOME;
  if (platform === "win32") return env.LOCALAPPDATA || win32.join(home, "AppData", "Local");
  if (platform === "darwin") return posix.join(home, "Library", "Application Support");
  return posix.join(home, ".local", "share");
}
