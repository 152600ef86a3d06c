import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SignalGuard } from "../../backends/native/signal-guard.js";
import { isStopped } from "../../turns.js";
import { hasTaskbar } from "./taskbar.js";
import type { Terminal } from "./terminal.js";

/** The signals that ask a command to end. */
type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGBREAK";

/** The exit code that a shell gives a program which writes where nobody reads: 128 and SIGPIPE. */
const NOBODY_READS = 128 + 13;
/** How long a command may take to end after a signal, unless it has something to save. */
const MAX_MILLISECONDS = 500;

/** Lets a command go on when its terminal goes, where that was asked for. */
export function heedHangUp(terminal: Terminal): void {
  if (survivesHangUp(terminal)) process.on("SIGHUP", () => {});
}

/**
 * What interrupts a command: a signal, or a closed output. The first signal aborts the command's work, and
 * the second ends the process. A command that does not call `finishFirst` is also ended half a second after
 * the first signal.
 */
export class Interruption {
  readonly #terminal: Terminal;
  readonly #interrupted = new AbortController();
  #exitCode = 0;
  #restore = () => {};
  #announce: (() => void) | undefined;
  #stopListening = () => {};
  #release = () => {};
  #resumeKernels = () => {};

  /** Aborted by the first signal, and when nobody reads the output any more. */
  readonly signal: AbortSignal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.signal = AbortSignal.any([this.#interrupted.signal, terminal.outClosed]);
  }

  /** 0 without an interruption; otherwise 128 and the number of the signal. */
  get exitCode(): number {
    return this.#exitCode || (this.#terminal.outClosed.aborted ? NOBODY_READS : 0);
  }

  /** Whether there was a signal. */
  get isSignalled(): boolean {
    return this.#exitCode > 0;
  }

  /** Listens for signals from now on. */
  begin(): void {
    const hangUp = !survivesHangUp(this.#terminal);
    const names: SignalName[] = ["SIGINT", "SIGTERM"];
    if (hangUp) names.push("SIGHUP");
    // Ctrl-Break, which Windows has beside Ctrl-C.
    if (process.platform === "win32") names.push("SIGBREAK");
    const handle = (name: SignalName) => this.#handle(128 + constants.signals[name]);
    for (const name of names) process.on(name, handle);
    this.#stopListening = () => {
      for (const name of names) process.off(name, handle);
    };
  }

  /**
   * Ends the process in time from now on even while a long call keeps JavaScript waiting. The addon does so,
   * which need not be loaded where nothing takes long.
   */
  async guard(mostMilliseconds = MAX_MILLISECONDS): Promise<void> {
    const { release, resumeKernels } = await this.#guard(1, mostMilliseconds);
    this.#release = release;
    this.#resumeKernels = resumeKernels;
  }

  /**
   * Has the first signal end the process, while what is called waits for other processes.
   *
   * @returns what is to be called after it
   */
  async endAtOnce(): Promise<() => void> {
    const { release } = await this.#guard(0, 0);
    return release;
  }

  async #guard(letThrough: number, mostMilliseconds: number): Promise<SignalGuard> {
    const { guardSignals } = await import("../../backends/native/signal-guard.js");
    return guardSignals({
      letThrough,
      mostMilliseconds,
      hangUp: !survivesHangUp(this.#terminal),
      restoreTerminal: this.#terminal.isInteractive,
      clearTaskbar: hasTaskbar(this.#terminal.stderr),
    });
  }

  /** Ends the command also by SIGUSR2, which launchers pass on without killing anything soon after. */
  heedUser(): void {
    process.on("SIGUSR2", () => this.#handle(128 + constants.signals.SIGUSR2));
  }

  /** Leaves the first signal to the process for which this one works, and which is sent it too. The second ends this one. */
  leave(): void {
    this.release();
    let isRepeated = false;
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"] as const) {
      process.on(name, () => {
        if (isRepeated) process.exit(128 + constants.signals[name]);
        isRepeated = true;
      });
    }
  }

  /** What leaves the terminal as it was, for when the process ends at once. */
  restoreBy(restore: () => void): void {
    this.#restore = restore;
  }

  /** Lets the command take its time to finish what it has begun, and say so, at the first signal. */
  async finishFirst(announce: () => void = () => {}): Promise<void> {
    this.#announce = announce;
    await this.guard(0);
  }

  /** Whether an error is no failure, but how the command was interrupted. */
  async hasCaused(error: unknown): Promise<boolean> {
    if (isStopped(error)) while (!this.signal.aborted) await nextTurn();
    if (!this.signal.aborted) return false;
    const isAbort = error instanceof Error && error.name === "AbortError";
    return error === this.signal.reason || isAbort || isStopped(error);
  }

  /** Gives signals their former effect. */
  release(): void {
    this.#release();
    this.#stopListening();
    this.#release = () => {};
  }

  #handle(code: number): void {
    if (this.#exitCode > 0) this.#end(code);
    this.#exitCode = code;
    this.#terminal.hurry();
    this.#announce?.();
    this.#interrupted.abort();
    this.#resumeKernels();
    if (!this.#announce) setTimeout(() => this.#end(code), MAX_MILLISECONDS).unref();
  }

  #end(code: number): never {
    this.#restore();
    process.exit(code);
  }
}

/** SIGHUP, in the masks of signals that Linux shows. */
const HANG_UP = 1n;

/**
 * Whether a command goes on when its terminal goes. It does where standard error is none, as under
 * `nohup`, and where the signal was ignored when the command was started: Node has undone that by now,
 * but the program that started it, a shell after `trap '' HUP`, still ignores it.
 *
 * Windows sends the signal when a console is closed, and ends the process ten seconds later whatever it does.
 */
export function survivesHangUp(
  { stderr }: Pick<Terminal, "stderr">,
  platform: NodeJS.Platform = process.platform,
): boolean {
  if (platform === "win32") return false;
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
