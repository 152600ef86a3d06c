/** Linux's format (System V ABI, chapters 4 and 5; versions: Linux Standard Base, chapter 10). */
import { textAt } from "./text-at.js";

const CPUS = { 62: "x64", 183: "arm64" };
const SECTION = { symbols: 2, dynamic: 6, dynamicSymbols: 11, neededVersions: 0x6ffffffe };
const NEEDED = 1;
const LOCAL = 0;

/**
 * @returns undefined where it is none
 * - `libraries`: the names of the libraries that it is linked with
 * - `versions`: of their symbols that it needs, such as GLIBC_2.17
 * - `undefinedSymbols`: that others must define
 * - `globalSymbols`: that it defines for others, in an object file
 */
export function readElf(bytes) {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2) return undefined;
  const sections = sectionsOf(bytes);
  const ofType = (type) => sections.filter((section) => section.type === type);
  const entries = (type, size) =>
    ofType(type).flatMap(({ offset, length, link }) =>
      Array.from({ length: length / size }, (_, index) => ({
        at: offset + index * size,
        strings: sections[link].offset,
      })),
    );
  const symbols = (type) =>
    entries(type, 24).map(({ at, strings }) => ({
      name: textAt(bytes, strings + bytes.readUInt32LE(at)),
      isLocal: bytes[at + 4] >> 4 === LOCAL,
      isDefined: bytes.readUInt16LE(at + 6) !== 0,
    }));
  return {
    format: "elf",
    cpu: CPUS[bytes.readUInt16LE(18)],
    libraries: entries(SECTION.dynamic, 16)
      .filter(({ at }) => bytes.readBigUInt64LE(at) === BigInt(NEEDED))
      .map(({ at, strings }) => textAt(bytes, strings + Number(bytes.readBigUInt64LE(at + 8)))),
    versions: ofType(SECTION.neededVersions).flatMap(({ offset, entryCount, link }) =>
      versionsAt(bytes, offset, entryCount, sections[link].offset),
    ),
    undefinedSymbols: namesOf(symbols(SECTION.dynamicSymbols).filter((one) => !one.isDefined)),
    globalSymbols: namesOf(symbols(SECTION.symbols).filter((one) => one.isDefined && !one.isLocal)),
  };
}

function namesOf(symbols) {
  return symbols.map(({ name }) => name).filter((name) => name !== "");
}

function sectionsOf(bytes) {
  const table = Number(bytes.readBigUInt64LE(40));
  const size = bytes.readUInt16LE(58);
  return Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => {
    const at = table + index * size;
    return {
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      length: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
      // Of needed versions: how many libraries they are for.
      entryCount: bytes.readUInt32LE(at + 44),
    };
  });
}

/** A list of libraries, each with a list of versions; every entry says how far the next one is. */
function versionsAt(bytes, offset, libraries, strings) {
  const versions = [];
  let library = offset;
  for (let i = 0; i < libraries; i++) {
    let version = library + bytes.readUInt32LE(library + 8);
    for (let left = bytes.readUInt16LE(library + 2); left > 0; left--) {
      versions.push(textAt(bytes, strings + bytes.readUInt32LE(version + 8)));
      version += bytes.readUInt32LE(version + 12);
    }
    library += bytes.readUInt32LE(library + 12);
  }
  return versions;
}
