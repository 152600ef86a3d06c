import type { Processes } from "../../ranks/join.js";
import { namesOf } from "../../ranks/machine-names.js";
import { wholePercent } from "./format.js";

/** `4 on a, b (Open MPI 4.1.4), 2 threads each; exchanging gradients takes 34% of a step` */
export function processesRow(processes: Processes | undefined): string[][] {
  if (!processes) return [];
  const { ofMachines, library, exchangeShare } = processes;
  const machines = namesOf(ofMachines.map(({ machine }) => machine));
  const threads = [...new Set(ofMachines.map((each) => each.threads))].sort((a, b) => a - b);
  const ofEach = `${threads.join(" or ")} ${threads.join() === "1" ? "thread" : "threads"} each`;
  const share = `exchanging gradients takes ${wholePercent(exchangeShare)} of a step`;
  return [["processes", `${ofMachines.length} on ${machines} (${library}), ${ofEach}; ${share}`]];
}
