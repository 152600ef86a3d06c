import type { SelectedBackend } from "../backends/select.js";
import { CharnnError } from "../errors.js";
import { agree } from "../ranks/agreement.js";
import type { Ranks } from "../ranks/ranks.js";
import { version } from "../version.js";

/** What the processes of a run tell each other before they train. */
interface Member {
  readonly machine: string;
  readonly threads: number;
  readonly instructionSet: string | undefined;
  /** Whether it rounds once where others round twice. */
  readonly isFused: boolean;
}

/**
 * Makes sure that all processes can train, and compute the same.
 *
 * @param selected the backend of this process, or why it has none
 * @param first what rank 0 has
 * @throws CharnnError in all ranks where one of them can't
 */
export function agreeToTrain(
  ranks: Ranks,
  selected: SelectedBackend | CharnnError,
  first: { readonly version: string },
): Member[] {
  const fault = selected instanceof CharnnError ? selected : versionFault(first.version);
  const members = agree(ranks, fault ?? memberOf(ranks, selected as SelectedBackend));
  if (new Set(members.map(({ isFused }) => isFused)).size === 1) return members;
  const ones = members.map(({ machine, instructionSet }) => `${machine} has ${instructionSet}`);
  throw new CharnnError(
    "WORKERS_DIFFER",
    `Not all processors have fused multiply-add, so the weights would differ: ${[...new Set(ones)].join(", ")}.`,
    "Use machines that all have it, or add `backend: wasm`.",
  );
}

function versionFault(first: string): CharnnError | undefined {
  const own = version();
  if (first === own) return undefined;
  return new CharnnError(
    "WORKERS_DIFFER",
    `charnn is version ${own}, and ${first} on the machine of rank 0.`,
    "Install the same version on all machines.",
  );
}

function memberOf({ machine }: Ranks, { backend: { threads, facts } }: SelectedBackend): Member {
  const { instructionSet } = facts;
  const isFused = instructionSet !== undefined && instructionSet !== "sse2";
  return { machine, threads, instructionSet, isFused };
}
