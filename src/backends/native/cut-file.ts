import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** More than the headers of a compiled addon take. */
const MAX_HEADER_BYTES = 65_536;
const ELF = 0x7f454c46;
const MACH_O = 0xfeedfacf;
const PE = 0x50450000;
const MACH_O_SEGMENT = 0x19;

/**
 * Whether the end of a library is missing, for example because a disk was full. Linux would map what is there and
 * crash at the first byte that is not; other systems look, but say less.
 *
 * @returns false also for what has none of the formats: ELF, PE and Mach-O, of 64 bits
 */
export function isCutShort(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const header = Buffer.alloc(MAX_HEADER_BYTES);
    const length = readSync(file, header);
    return fstatSync(file).size < endBy(header.subarray(0, length));
  } catch (error) {
    // The headers themselves are cut.
    if (error instanceof RangeError) return true;
    throw error;
  } finally {
    closeSync(file);
  }
}

/** The length of a file, according to its header. */
function endBy(header: Buffer): number {
  if (header.length < 4) return 0;
  if (header.readUInt32BE(0) === ELF) return elfEnd(header);
  if (header.readUInt32LE(0) === MACH_O) return machOEnd(header);
  return header.toString("latin1", 0, 2) === "MZ" ? peEnd(header) : 0;
}

/** System V ABI, chapter 4: the table of sections comes last. */
function elfEnd(header: Buffer): number {
  const [size, count] = [header.readUInt16LE(58), header.readUInt16LE(60)];
  return Number(header.readBigUInt64LE(40)) + size * count;
}

/** Apple, mach-o/loader.h: the end of the last segment. */
function machOEnd(header: Buffer): number {
  let end = 0;
  let at = 32;
  for (let left = header.readUInt32LE(16); left > 0; left--) {
    if (header.readUInt32LE(at) === MACH_O_SEGMENT) {
      const [offset, length] = [header.readBigUInt64LE(at + 40), header.readBigUInt64LE(at + 48)];
      end = Math.max(end, Number(offset + length));
    }
    at += Math.max(8, header.readUInt32LE(at + 4));
  }
  return end;
}

/** Microsoft, PE Format: the end of the last section. */
function peEnd(header: Buffer): number {
  const start = header.readUInt32LE(0x3c);
  if (header.readUInt32BE(start) !== PE) return 0;
  const sections = header.readUInt16LE(start + 6);
  const table = start + 24 + header.readUInt16LE(start + 20);
  let end = 0;
  for (let at = table; at < table + sections * 40; at += 40) {
    end = Math.max(end, header.readUInt32LE(at + 20) + header.readUInt32LE(at + 16));
  }
  return end;
}
