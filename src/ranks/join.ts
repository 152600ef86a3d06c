import type { SelectedBackend } from "../backends/select.js";
import type { BackendName } from "../config/names.js";
import { CharnnError } from "../errors.js";
import { version } from "../version.js";
import { agree } from "./agreement.js";
import type { RankZero } from "./rank-zero.js";
import type { Ranks } from "./ranks.js";

/** Tells the other ranks to open a backend, and to {@link agreeToTrain}. */
export interface JoinCommand {
  readonly kind: "join";
  readonly version: string;
  readonly backend: BackendName;
  /** For each process; undefined where `--threads` was not given. */
  readonly threads: number | undefined;
}

/** What a process tells the others before they train together. */
interface Member {
  readonly machine: string;
  readonly threads: number;
  readonly instructionSet: string | undefined;
  /** Whether it rounds once where others round twice. */
  readonly isFused: boolean;
}

/** The processes that work together. */
export interface Processes {
  /** What joins them, with its version. */
  readonly library: string;
  /** The machine of each and how many threads it computes with, in the order of ranks. */
  readonly ofMachines: readonly { readonly machine: string; readonly threads: number }[];
  /** The fraction of a step that goes to the exchange of gradients. */
  readonly exchangeShare: number;
}

/**
 * Lets all ranks open the backend that rank 0 has.
 *
 * @param threads for each process; undefined where `--threads` was not given
 * @returns what is to be said of them; undefined where there is one
 * @throws CharnnError where one of them can't train, or would not compute the same
 */
export async function joinAll(
  { ranks, inAll }: RankZero<JoinCommand>,
  selected: SelectedBackend,
  threads: number | undefined,
): Promise<Omit<Processes, "exchangeShare"> | undefined> {
  const { library } = ranks;
  if (library === undefined) return undefined;
  const own = version();
  const { name: backend } = selected.backend;
  const members = await inAll({ kind: "join", version: own, backend, threads }, () =>
    agreeToTrain(ranks, selected, own),
  );
  return { library, ofMachines: members.map(({ machine, threads }) => ({ machine, threads })) };
}

/**
 * Makes sure that all processes can train, and compute the same.
 *
 * @param selected the backend of this process, or why it has none
 * @param ofRankZero the version of charnn there
 * @throws CharnnError in all ranks where one of them can't
 */
export function agreeToTrain(
  ranks: Ranks,
  selected: SelectedBackend | CharnnError,
  ofRankZero: string,
): Member[] {
  const fault = selected instanceof CharnnError ? selected : versionFault(ofRankZero);
  const members = agree(ranks, fault ?? memberOf(ranks, selected as SelectedBackend));
  if (new Set(members.map(({ isFused }) => isFused)).size === 1) return members;
  const ones = members.map(({ machine, instructionSet }) => `${machine} has ${instructionSet}`);
  throw new CharnnError(
    "WORKERS_DIFFER",
    `Some processors have fused multiply-add and others do not, so their results would differ: ${[...new Set(ones)].join(", ")}.`,
    "Use machines that all have it, or give `backend: wasm`.",
  );
}

function versionFault(ofRankZero: string): CharnnError | undefined {
  const own = version();
  if (ofRankZero === own) return undefined;
  return new CharnnError(
    "WORKERS_DIFFER",
    `charnn is version ${own}, and ${ofRankZero} on the machine of rank 0.`,
    "Install the same version on all machines.",
  );
}

function memberOf({ machine }: Ranks, { backend: { threads, facts } }: SelectedBackend): Member {
  const { instructionSet } = facts;
  const isFused = instructionSet !== undefined && instructionSet !== "sse2";
  return { machine, threads, instructionSet, isFused };
}
