/** macOS' format (Apple, mach-o/loader.h, mach-o/nlist.h and kern/cs_blobs.h). */
import { textAt } from "./text-at.js";

const CPUS = { 16777223: "x64", 16777228: "arm64" };
const MAGIC = 0xfeedfacf;
const COMMAND = {
  symbols: 2,
  library: 0xc,
  weakLibrary: 0x80000018,
  signature: 0x1d,
  version: 0x32,
};
const SYMBOL = { debugging: 0xe0, type: 0x0e, external: 0x01, undefined: 0 };
const DYNAMIC_LOOKUP = 0xfe;
const SIGNATURE = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const AD_HOC = 2;

/**
 * @returns undefined where it is none
 * - `libraries`: paths of the libraries that it is linked with
 * - `oldestSystem`: the oldest macOS that it runs on
 * - `undefinedSymbols`: that others must define, each with whether any of them may
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
    undefinedSymbols: of(COMMAND.symbols).flatMap(({ at }) => undefinedAt(bytes, at)),
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

function undefinedAt(bytes, command) {
  const table = bytes.readUInt32LE(command + 8);
  const count = bytes.readUInt32LE(command + 12);
  const strings = bytes.readUInt32LE(command + 16);
  return Array.from({ length: count }, (_, index) => table + index * 16)
    .filter((at) => {
      const type = bytes[at + 4];
      const isExternal = (type & SYMBOL.debugging) === 0 && (type & SYMBOL.external) !== 0;
      return isExternal && (type & SYMBOL.type) === SYMBOL.undefined;
    })
    .map((at) => ({
      name: textAt(bytes, strings + bytes.readUInt32LE(at)).replace(/^_/, ""),
      isFromAnywhere: bytes.readUInt16LE(at + 6) >> 8 === DYNAMIC_LOOKUP,
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
