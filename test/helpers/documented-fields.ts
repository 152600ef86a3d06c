/** The tables of docs/events.md, and whether objects are as they say. */
import { readFileSync } from "node:fs";

const PAGE = new URL("../../docs/events.md", import.meta.url);

interface Field {
  readonly types: readonly string[];
  readonly isOptional: boolean;
}

/** The fields of an object by their paths. */
export type Fields = ReadonlyMap<string, Field>;

/** The tables by the headings above them. */
export function documentedFields(): ReadonlyMap<string, Fields> {
  const sections = readFileSync(PAGE, "utf8").split(/^##+ /m).slice(1);
  return new Map(
    sections.flatMap((section) => {
      const rows = [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \| [^|]+ \|$/gm)];
      const fields = rows.map(([, name, type]): [string, Field] => {
        const isOptional = type.endsWith(", optional");
        return [name, { types: type.replace(/, optional$/, "").split(" or "), isOptional }];
      });
      return fields.length > 0 ? [[section.split("\n", 1)[0], new Map(fields)]] : [];
    }),
  );
}

/**
 * What of an object is not as documented, a line each.
 *
 * @param at what leads to it from the whole object, with a dot at the end
 */
export function* faultsOf(value: object, fields: Fields, at = ""): Generator<string> {
  for (const [name, { isOptional }] of fields) {
    const isHere = name.startsWith(at) && /^\w+$/.test(name.slice(at.length));
    if (isHere && !isOptional && !Object.hasOwn(value, name.slice(at.length))) {
      yield `${name} is missing`;
    }
  }
  for (const [key, content] of Object.entries(value)) {
    const name = `${at}${key}`;
    const field = fields.get(name);
    if (!field) yield `${name} is not documented`;
    else if (!field.types.includes(typeOf(content))) yield `${name} is ${typeOf(content)}`;
    else yield* faultsWithin(content, fields, name);
  }
}

/** Where a table says nothing of what an object or a list has, it may be anything. */
function* faultsWithin(content: unknown, fields: Fields, name: string): Generator<string> {
  const within = Array.isArray(content) ? `${name}[].` : `${name}.`;
  if (![...fields.keys()].some((other) => other.startsWith(within))) return;
  for (const item of Array.isArray(content) ? content : [content]) {
    yield* faultsOf(item, fields, within);
  }
}

/** The fields that are in an object, those of its parts too. */
export function* namesIn(value: unknown, at = ""): Generator<string> {
  if (Array.isArray(value)) {
    for (const item of value) yield* namesIn(item, at.replace(/\.$/, "[]."));
  } else if (typeof value === "object" && value !== null) {
    for (const [key, content] of Object.entries(value)) {
      yield `${at}${key}`;
      yield* namesIn(content, `${at}${key}.`);
    }
  }
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
