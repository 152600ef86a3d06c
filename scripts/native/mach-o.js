/** macOS' format (Apple, mach-o/loader.h and kern/cs_blobs.h). */
import { textAt } from "./text-at.js";

const CPUS = { 16777223: "x64", 16777228: "arm64" };
const MAGIC = 0xfeedfacf;
const COMMAND = {
  library: 0xc,
  weakLibrary: 0x80000018,
  signature: 0x1d,
  bindings: 0x80000022,
  version: 0x32,
};
/** The upper four bits of a byte of a binding's program; the lower ones are a small operand. */
const BIND = { fromLibrary: 0x10, fromNumberedLibrary: 0x20, fromSpecial: 0x30, symbol: 0x40 };
/** How many numbers of variable length follow other operations. */
const OPERANDS = { 96: 1, 112: 1, 128: 1, 160: 1, 192: 2 };
/** Those that bind the symbol which was named last, in the place that was. */
const BINDS = new Set([0x90, 0xa0, 0xb0, 0xc0]);
const FROM_ANYWHERE = 0xe;
const SIGNATURE = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const AD_HOC = 2;

/**
 * @returns undefined where it is none
 * - `libraries`: paths of the libraries that it is linked with
 * - `oldestSystem`: the oldest macOS that it runs on
 * - `undefinedSymbols`: that others must define, each with whether any of them may; none where they are bound
 *   in another way than zig does it
 * - `isSignedAdHoc`: whether it is signed, but by nobody
 */
export function readMachO(bytes) {
  if (bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const commands = commandsOf(bytes);
  const of = (...kinds) => commands.filter(({ kind }) => kinds.includes(kind));
  return {
    format: "mach-o",
    cpu: CPUS[bytes.readUInt32LE(4)],
    libraries: of(COMMAND.library, COMMAND.weakLibrary).map(({ at }) =>
      textAt(bytes, at + bytes.readUInt32LE(at + 8)),
    ),
    oldestSystem: of(COMMAND.version).map(({ at }) => versionOf(bytes.readUInt32LE(at + 12)))[0],
    undefinedSymbols: of(COMMAND.bindings).flatMap(({ at }) =>
      // At once, and those that are looked up at their first call.
      [16, 32].flatMap((field) => {
        const begin = bytes.readUInt32LE(at + field);
        return boundBy(bytes.subarray(begin, begin + bytes.readUInt32LE(at + field + 4)));
      }),
    ),
    isSignedAdHoc: of(COMMAND.signature).some(({ at }) =>
      isAdHoc(bytes.subarray(bytes.readUInt32LE(at + 8))),
    ),
  };
}

function commandsOf(bytes) {
  const commands = [];
  let at = 32;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    commands.push({ kind: bytes.readUInt32LE(at), at });
    at += bytes.readUInt32LE(at + 4);
  }
  return commands;
}

function versionOf(number) {
  return `${number >> 16}.${(number >> 8) & 0xff}`;
}

/** The symbols in a program that tells the loader what to look up, and where. */
function boundBy(program) {
  const symbols = new Map();
  let name = "";
  let isFromAnywhere = false;
  let at = 0;
  const skipNumber = () => {
    while ((program[at++] & 0x80) !== 0);
  };
  while (at < program.length) {
    const [operation, operand] = [program[at] & 0xf0, program[at] & 0x0f];
    at++;
    if (operation === BIND.fromSpecial) isFromAnywhere = operand === FROM_ANYWHERE;
    else if (operation === BIND.fromLibrary) isFromAnywhere = false;
    else if (operation === BIND.fromNumberedLibrary) {
      isFromAnywhere = false;
      skipNumber();
    } else if (operation === BIND.symbol) {
      name = textAt(program, at);
      at += name.length + 1;
    } else {
      if (BINDS.has(operation)) symbols.set(name, isFromAnywhere);
      for (let left = OPERANDS[operation] ?? 0; left > 0; left--) skipNumber();
    }
  }
  return [...symbols].map(([symbol, anywhere]) => ({
    name: symbol.replace(/^_/, ""),
    isFromAnywhere: anywhere,
  }));
}

/** A signature is a list of parts, and its numbers are big-endian. */
function isAdHoc(signature) {
  if (signature.readUInt32BE(0) !== SIGNATURE) return false;
  return Array.from({ length: signature.readUInt32BE(8) }, (_, index) =>
    signature.readUInt32BE(12 + index * 8 + 4),
  ).some(
    (part) =>
      signature.readUInt32BE(part) === CODE_DIRECTORY &&
      (signature.readUInt32BE(part + 12) & AD_HOC) !== 0,
  );
}
