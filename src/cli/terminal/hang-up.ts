import { readFileSync } from "node:fs";
import type { Terminal } from "./terminal.js";

/** SIGHUP, in the masks of signals that Linux shows. */
const HANG_UP = 1n;

/**
 * Whether a command goes on when its terminal goes. It does where standard error is none, as under
 * `nohup`, and where the signal was ignored when the command was started: Node has undone that by now,
 * but the program that started it, a shell after `trap '' HUP`, still ignores it.
 */
export function survivesHangUp({ stderr }: Pick<Terminal, "stderr">): boolean {
  return stderr.isTTY !== true || ignoresHangUp(process.ppid);
}

/** Of another process; false where the system does not tell, which only Linux does. */
function ignoresHangUp(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    return mask !== undefined && (BigInt(`0x${mask}`) & HANG_UP) !== 0n;
  } catch {
    return false;
  }
}
