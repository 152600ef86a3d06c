/** What a linked file says of itself, by its format. Numbers are little-endian in all that is read here. */
import { readElf } from "./elf.js";
import { readMachO } from "./mach-o.js";
import { readPe } from "./pe.js";

/**
 * @typedef Binary
 * @property {"elf" | "mach-o" | "pe"} format
 * @property {string} cpu - as Node calls it
 * @property {string[]} libraries - that it is linked with
 */

const FORMATS = [readElf, readMachO, readPe];

/**
 * @param {Buffer} bytes
 * @returns {Binary} with what its format adds
 * @throws Error where it is none of these formats
 */
export function readBinary(bytes) {
  for (const read of FORMATS) {
    const binary = read(bytes);
    if (binary) return binary;
  }
  throw new Error("This is no ELF, Mach-O or PE file of 64 bits.");
}
