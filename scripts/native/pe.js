/** Windows' format (Microsoft, PE Format). */
import { textAt } from "./text-at.js";

const CPUS = { 34404: "x64", 43620: "arm64" };
const PE32_PLUS = 0x20b;
const DIRECTORY = { exports: 0, imports: 1, delayedImports: 13 };

/**
 * @returns undefined where it is none
 * - `libraries`: that it imports from, also later
 * - `exports`: the names that it has for others
 */
export function readPe(bytes) {
  if (bytes.toString("latin1", 0, 2) !== "MZ") return undefined;
  const header = bytes.readUInt32LE(0x3c);
  if (bytes.readUInt32BE(header) !== 0x50450000) return undefined;
  const optional = header + 24;
  if (bytes.readUInt16LE(optional) !== PE32_PLUS) return undefined;
  const sections = sectionsAt(
    bytes,
    optional + bytes.readUInt16LE(header + 20),
    bytes.readUInt16LE(header + 6),
  );
  /** Where in the file an address lies. */
  const place = (address) => {
    const section = sections.find(
      ({ start, length }) => address >= start && address < start + length,
    );
    return address - section.start + section.offset;
  };
  const name = (address) => textAt(bytes, place(address));
  const directory = (index) => bytes.readUInt32LE(optional + 112 + index * 8);
  const imports = (index, size, nameAt) => {
    const names = [];
    if (directory(index) === 0) return names;
    for (let at = place(directory(index)); bytes.readUInt32LE(at + nameAt) !== 0; at += size) {
      names.push(name(bytes.readUInt32LE(at + nameAt)));
    }
    return names;
  };
  const exports = () => {
    const at = place(directory(DIRECTORY.exports));
    const names = place(bytes.readUInt32LE(at + 32));
    const count = bytes.readUInt32LE(at + 24);
    return Array.from({ length: count }, (_, i) => name(bytes.readUInt32LE(names + i * 4)));
  };
  return {
    format: "pe",
    cpu: CPUS[bytes.readUInt16LE(header + 4)],
    libraries: [...imports(DIRECTORY.imports, 20, 12), ...imports(DIRECTORY.delayedImports, 32, 4)],
    exports: directory(DIRECTORY.exports) === 0 ? [] : exports(),
  };
}

function sectionsAt(bytes, table, count) {
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * 40;
    return {
      start: bytes.readUInt32LE(at + 12),
      length: Math.max(bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 16)),
      offset: bytes.readUInt32LE(at + 20),
    };
  });
}
