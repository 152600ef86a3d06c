import { constants } from "node:os";
import { CharnnError } from "./errors.js";

/** Node.js does not know it either, and Linux gives it for a damaged file system. */
const EUCLEAN = process.platform === "linux" ? 117 : undefined;

/**
 * The name of a system error (`ENOENT`), undefined for anything else. Some that libuv does not know have
 * only their number (`Unknown system error -122`) and are named by it.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof CharnnError || !("code" in error))
    return undefined;
  if (typeof error.code !== "string") return undefined;
  const [, number] = /^Unknown system error -(\d+)$/.exec(error.code) ?? [];
  return number === undefined ? error.code : (nameOf(Number(number)) ?? error.code);
}

function nameOf(number: number): string | undefined {
  if (number === EUCLEAN) return "EUCLEAN";
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0];
}
