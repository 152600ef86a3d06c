import { CharnnError } from "../errors.js";
import { formatCount } from "../text.js";

/** How much JSON from a file may hold before it is refused unparsed. */
export interface JsonBounds {
  /** How deep lists and objects are nested. */
  readonly depth: number;
  /** Values and names in all. */
  readonly values: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const LISTS_AND_OBJECTS: ReadonlyMap<number, 1 | -1> = new Map([
  [0x5b, 1],
  [0x5d, -1],
  [0x7b, 1],
  [0x7d, -1],
]);

/**
 * Checks JSON against bounds without parsing it: `JSON.parse` takes gigabytes for a few megabytes of brackets,
 * and what reads nested lists by recursion runs out of stack.
 *
 * @param what it is, for the message: `its header`
 * @param check is called with each character that stands outside strings
 * @returns how many members the objects in it have
 * @throws CharnnError `BAD_CHECKPOINT`
 */
export function scanJson(
  text: string,
  bounds: JsonBounds,
  what: string,
  check: (character: number) => void = () => {},
): number {
  let members = 0;
  let values = 1;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    check(character);
    const deeper = LISTS_AND_OBJECTS.get(character) ?? 0;
    depth += deeper;
    if (character === COLON) members++;
    if (deeper > 0 || character === COMMA || character === COLON) values++;
    if (depth > bounds.depth) throw bad(`${what} has lists or objects too deep in each other`);
    if (values > bounds.values) {
      throw bad(`${what} has more than ${formatCount(bounds.values)} values`);
    }
  }
  return members;
}

/**
 * @throws CharnnError `BAD_CHECKPOINT` for what is no JSON, beyond `bounds`, or has an object with a name
 *   twice, of which `JSON.parse` would keep the last
 */
export function parseBounded(text: string, bounds: JsonBounds, what: string): unknown {
  const written = scanJson(text, bounds, what);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad(`${what} is not JSON`, cause);
  }
  if (membersIn(value) !== written) throw bad(`${what} has a name twice`);
  return value;
}

/** How many members the objects in a value have. */
function membersIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const values = Object.values(value);
  const own = Array.isArray(value) ? 0 : values.length;
  return values.reduce((sum, it) => sum + membersIn(it), own);
}

/** The place of the quote that ends the string that begins at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === BACKSLASH) at++;
    else if (character === QUOTE) return at;
  }
  return text.length;
}

function bad(message: string, cause?: unknown): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message, undefined, { cause });
}
