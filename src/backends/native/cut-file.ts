import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const ELF_MAGIC = 0x7f454c46;
const HEADER_BYTES = 64;

/**
 * Whether the end of an ELF file (System V ABI, chapter 4) is missing, such as where a disk was full.
 * Linux would map what is there and crash at the first byte that is not.
 */
export function isCutShort(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const isElf = readSync(file, header) === HEADER_BYTES && header.readUInt32BE(0) === ELF_MAGIC;
    if (!isElf) return false;
    // The table of sections comes last: its offset, and the size and the number of its entries.
    const table = header.readBigUInt64LE(40);
    const end = table + BigInt(header.readUInt16LE(58) * header.readUInt16LE(60));
    return fstatSync(file, { bigint: true }).size < end;
  } finally {
    closeSync(file);
  }
}
