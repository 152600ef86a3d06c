import { type SelectedBackend, selectBackend, usualThreads } from "../backends/select.js";
import type { BackendChoice } from "../config/names.js";
import type { Ranks } from "./ranks.js";

/**
 * The backend of a process that trains.
 *
 * @param threads asked for; undefined: its part of the cores that it shares with others
 * @throws CharnnError `BACKEND_UNAVAILABLE`
 */
export async function openBackendOf(
  { cores }: Ranks,
  name: BackendChoice,
  threads: number | undefined,
): Promise<SelectedBackend> {
  const sharers = cores?.sharers ?? 1;
  if (threads !== undefined || sharers === 1) return selectBackend(name, threads);
  const usual = await usualThreads();
  return selectBackend(name, Math.max(1, Math.floor(usual.threads / sharers)));
}
