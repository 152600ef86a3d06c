/** Options whose values may be in the environment: what is typed, or stands in a file of options, wins. */
import type { Command, Option } from "commander";
import { CharnnError } from "../../errors.js";

/** Forgets variables that are empty, as a workflow leaves those that it has no value for. */
export function forgetEmptyVariables({ options }: Command): void {
  for (const { envVar } of options) {
    if (envVar !== undefined && process.env[envVar] === "") delete process.env[envVar];
  }
}

/**
 * An error about a value as it is to be said: by the name of the variable where the value comes from the
 * environment.
 *
 * @param given the long names of the options that were given in another way
 */
export function namingVariable(
  error: unknown,
  { options }: Command,
  given: ReadonlySet<string | undefined>,
): unknown {
  if (!(error instanceof CharnnError)) return error;
  const isMeant = (option: Option) =>
    isFromEnvironment(option, given) && nameIn(error, option) !== undefined;
  const option = options.find(isMeant);
  if (!option) return error;
  const message = `${option.envVar}${error.message.slice(nameIn(error, option)?.length)}`;
  return new CharnnError(error.code, message, error.hint, { cause: error });
}

function isFromEnvironment({ long, envVar }: Option, given: ReadonlySet<string | undefined>) {
  return envVar !== undefined && process.env[envVar] !== undefined && !given.has(`${long}`);
}

/** How an error names an option at its beginning, undefined where it is about something else. */
function nameIn({ message, setting }: CharnnError, option: Option): string | undefined {
  const names = [option.long, option.attributeName() === setting ? setting : undefined];
  return names.find((name) => name && message.startsWith(`${name} `)) ?? undefined;
}
