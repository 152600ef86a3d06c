import * as v from "valibot";
import { CharnnError, type ErrorCode, shortened } from "../errors.js";
import { BACKEND_NAMES, MOST_THREADS } from "./defaults.js";

/** A limit as high as this is named to those alone who are above it. */
const HIGH_LIMIT = 1e15;

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  // Written when it is needed: the first number in a language's format takes milliseconds.
  const rule = ({ input }: { readonly input: unknown }) => {
    const isNamed = most < HIGH_LIMIT || (typeof input === "number" && input > most);
    const upTo = isNamed ? ` to ${most.toLocaleString("en")}` : " up";
    return `must be a whole number from ${least.toLocaleString("en")}${upTo}`;
  };
  return v.pipe(
    v.number(rule),
    v.check((value) => Number.isSafeInteger(value) && value >= least && value <= most, rule),
  );
}

/** A number that is at least 0, and below `limit` where one is given. */
export function numberFromZero(limit: number = Number.POSITIVE_INFINITY) {
  const rule =
    limit === Number.POSITIVE_INFINITY ? "must be 0 or more" : `must be from 0 to below ${limit}`;
  return v.pipe(
    v.number(rule),
    v.check((value) => value >= 0 && value < limit, rule),
  );
}

/** A finite number above 0, and at most `most` where one is given. */
export function numberAboveZero(most: number = Number.MAX_VALUE) {
  const rule =
    most === Number.MAX_VALUE ? "must be above 0" : `must be above 0 and at most ${most}`;
  return v.pipe(
    v.number(rule),
    v.check((value) => value > 0 && value <= most, rule),
  );
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return v.picklist(words, `must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`);
}

/** What computes, for everything that does. No result depends on it but for rounding. */
export const backendSettings = {
  backend: v.optional(oneOf(["auto", ...BACKEND_NAMES])),
  /** As many as the processor has cores when left out. */
  threads: v.optional(wholeNumber(1, MOST_THREADS)),
};

/**
 * `value`, when it is what `schema` describes.
 *
 * @throws CharnnError with `code` that names the first setting at fault, its value and the rule.
 */
export function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  code: ErrorCode = "INVALID_SETTING",
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const name = shortened(v.getDotPath(issue) ?? "settings");
  if (issue.type === "strict_object") {
    const problem = issue.expected === "never" ? "is not a setting there is" : "is missing";
    throw new CharnnError(code, `${name} ${problem}.`, undefined, { setting: name });
  }
  const got = shortened(JSON.stringify(issue.input) ?? String(issue.input));
  const rule = issue.message.startsWith("must be") ? issue.message : "is not what it should be";
  throw new CharnnError(code, `${name} ${rule}, not ${got}.`, undefined, { setting: name });
}

/** The values that are given, without those left out. */
export function definedOnly<Values extends object>(values: Values): Values {
  const defined = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as Values;
}
