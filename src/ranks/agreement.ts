import { CharnnError, type ErrorCode } from "../errors.js";
import { gatherMessages } from "./messages.js";
import type { Ranks } from "./ranks.js";

/** What a rank tells the others: a value, or why it has none. */
interface Contribution {
  readonly machine: string;
  readonly value?: unknown;
  readonly error?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint?: string | undefined;
    readonly setting?: string | undefined;
  };
}

/**
 * Gives each rank's value to all, or fails in all ranks alike.
 *
 * @param own a value that JSON can hold; an error where this rank has none
 * @returns the values in the order of ranks
 * @throws CharnnError that of the lowest rank that gives one; one from another machine than rank 0's names its machine
 */
export function agree<Value>(ranks: Ranks, own: Value | CharnnError): Value[] {
  const contributions = gatherMessages(ranks, encode(ranks.machine, own)).map(decode);
  const [{ machine: here }] = contributions;
  for (const { machine, error } of contributions) {
    if (!error) continue;
    const { code, message, hint, setting } = error;
    if (machine === here) throw new CharnnError(code, message, hint, { setting });
    throw new CharnnError(code, `On machine ${machine}: ${message}`, hint);
  }
  return contributions.map(({ value }) => value as Value);
}

function encode(machine: string, own: unknown): Uint8Array {
  const contribution: Contribution =
    own instanceof CharnnError
      ? {
          machine,
          error: { code: own.code, message: own.message, hint: own.hint, setting: own.setting },
        }
      : { machine, value: own };
  return new TextEncoder().encode(JSON.stringify(contribution));
}

function decode(bytes: Uint8Array): Contribution {
  return JSON.parse(new TextDecoder().decode(bytes));
}
