import { spawn } from "node:child_process";
import { release } from "node:os";

/** How long to wait, in milliseconds, for a program that tells by its exit code whether it has found a browser. */
const PATIENCE = 2_000;

type Command = readonly [program: string, ...args: string[]];

/**
 * Opens an address in the user's browser.
 *
 * @returns why that is impossible, in a sentence; undefined where it has been done
 */
export async function openInBrowser(address: string): Promise<string | undefined> {
  const { platform, env } = process;
  const isWsl = platform === "linux" && /microsoft/i.test(release());
  const hasScreen = platform === "win32" || platform === "darwin" || isWsl;
  if (!hasScreen && !env.DISPLAY && !env.WAYLAND_DISPLAY && !env.BROWSER) {
    return "No browser can be opened: there is no graphical display here.";
  }
  for (const command of commandsFor(address, isWsl)) {
    if (await runs(command)) return undefined;
  }
  return "No browser could be opened.";
}

/** What may open an address here, the best first. */
function commandsFor(address: string, isWsl: boolean): Command[] {
  if (process.platform === "win32") return [["rundll32", "url.dll,FileProtocolHandler", address]];
  if (process.platform === "darwin") return [["open", address]];
  const { BROWSER } = process.env;
  const own: Command[] = BROWSER && !/[:%\s]/.test(BROWSER) ? [[BROWSER, address]] : [];
  return [...own, ...(isWsl ? [["wslview", address] as const] : []), ["xdg-open", address]];
}

/** Whether a program starts, and does not fail at once. It goes on when this process ends. */
function runs([program, ...args]: Command): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "ignore", detached: true });
    const patience = setTimeout(() => resolve(true), PATIENCE);
    const end = (isRunning: boolean) => {
      clearTimeout(patience);
      resolve(isRunning);
    };
    child.once("error", () => end(false));
    child.once("exit", (code) => end(code === 0));
    child.unref();
  });
}
