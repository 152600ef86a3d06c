import * as v from "valibot";
import { CharnnError, type ErrorCode, shortened } from "../errors.js";
import { formatCount } from "../text.js";
import type { Kind } from "./kinds.js";
import { MAX_FOLDS, MAX_STEPS } from "./names.js";
import type { Option } from "./option.js";

/** A limit this high is named only to users who exceed it. */
const HIGH_LIMIT = 1e15;

/** What checks that a value is of a kind. */
export function schemaOf<Value>(kind: Kind<Value>): v.GenericSchema<unknown, Value> {
  return SCHEMAS[kind.type](kind) as v.GenericSchema<unknown, Value>;
}

/** What checks settings of the library by a table of options. All can be left out but for those of `needed`. */
export function settingsSchema<Settings extends object>(
  options: Readonly<Record<keyof Settings & string, Option<unknown>>>,
  needed: readonly (keyof Settings & string)[] = [],
): v.GenericSchema<unknown, Settings> {
  const entries = Object.entries(options as Readonly<Record<string, Option<unknown>>>);
  const schemas = entries
    .filter(([, { commandOnly }]) => !commandOnly)
    .map(([name, { kind }]) => {
      const isNeeded = (needed as readonly string[]).includes(name);
      return [name, isNeeded ? schemaOf(kind) : v.optional(schemaOf(kind))];
    });
  return v.strictObject(Object.fromEntries(schemas)) as unknown as v.GenericSchema<
    unknown,
    Settings
  >;
}

const SCHEMAS: Readonly<Record<Kind<unknown>["type"], (kind: Kind<unknown>) => v.GenericSchema>> = {
  "whole number": wholeNumber,
  number,
  numbers: (limits) => {
    const { above, least } = limits;
    const each = above === undefined ? `${least} or more` : `above ${above}`;
    const rule = `must be a number, or a list of numbers, each ${each}`;
    return v.union([number(limits), v.pipe(v.array(number(limits)), v.minLength(1, rule))], rule);
  },
  seconds: number,
  text: () => v.string("must be a text"),
  texts: ({ least = 0 }) =>
    v.pipe(
      v.array(v.string("must be a text"), "must be a list of texts"),
      v.minLength(least, `must be at least ${least} file`),
    ),
  word: ({ words = [] }) => {
    const others = words.slice(0, -1).join(", ");
    const rule = others ? `must be ${others} or ${words.at(-1)}` : `must be ${words[0]}`;
    return v.picklist(words as string[], rule);
  },
  flag: () => v.boolean("must be true or false"),
  changes: () =>
    v.array(
      v.strictObject({
        step: wholeNumber({ least: 0, most: MAX_STEPS }),
        steps: wholeNumber({ least: 1, most: MAX_STEPS }),
      }),
    ),
  fold: () =>
    v.pipe(
      v.strictObject({
        index: wholeNumber({ least: 1 }),
        of: wholeNumber({ least: 2, most: MAX_FOLDS }),
      }),
      v.check(({ index, of }) => index <= of, "must be one of the parts"),
    ),
};

function wholeNumber({ least = 0, most = Number.MAX_SAFE_INTEGER }: Limits) {
  // Written when it is needed: the first number in a language's format takes milliseconds.
  const rule = ({ input }: { readonly input: unknown }) => {
    const isNamed = most < HIGH_LIMIT || (typeof input === "number" && input > most);
    const upTo = isNamed ? ` to ${formatCount(most)}` : " up";
    return `must be a whole number from ${formatCount(least)}${upTo}`;
  };
  return v.pipe(
    v.number(rule),
    v.check((value) => Number.isSafeInteger(value) && value >= least && value <= most, rule),
  );
}

type Limits = Pick<Kind<unknown>, "least" | "most" | "above" | "below">;

function number({ least, most, above, below }: Limits) {
  const rule =
    above !== undefined
      ? `must be above ${above}${most === undefined ? "" : ` and at most ${most}`}`
      : below !== undefined
        ? `must be from ${least} to below ${below}`
        : `must be ${least} or more`;
  return v.pipe(
    v.number(rule),
    v.finite(rule),
    v.check(
      (value) =>
        !(value < (least ?? value)) &&
        !(value > (most ?? value)) &&
        (above === undefined || value > above) &&
        (below === undefined || value < below),
      rule,
    ),
  );
}

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

/** Some of the values. */
export function pick<Values extends object, Name extends keyof Values>(
  values: Values,
  names: readonly Name[],
): Pick<Values, Name> {
  return Object.fromEntries(names.map((name) => [name, values[name]])) as Pick<Values, Name>;
}
