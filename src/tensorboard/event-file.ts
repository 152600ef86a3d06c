import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Backlog } from "../backlog.js";
import { appendWhole } from "../files/append-file.js";
import { EVENT_FILE_PREFIX } from "../runs/run-folder.js";
import { notReadable } from "../system-errors.js";
import { encodeEvent, type Summary, type TensorBoardEvent } from "./events.js";

/** Of the format; TensorBoard then asks no more of how a process begins. */
const FILE_VERSION = "brain.Event:2";

/** The time in the name of a file, see `EVENT_FILE_PREFIX`. */
const FILE_NAME = /^events\.out\.tfevents\.(\d{1,30})\b/;

/** A file of events in a folder, made when the first is written. */
export class EventFile {
  readonly #folder: string;
  /** Undefined until the file is made. */
  #path: string | undefined;
  readonly #records = new Backlog<Buffer>((records) => this.#append(records));
  #hasEvents = false;
  /** Where the steps begin that are yet to be told; undefined when that has been said. */
  #firstStep: number | undefined;

  /** @param firstStep what earlier files tell of this step and later ones is void */
  constructor(folder: string, firstStep: number) {
    this.#firstStep = firstStep;
    this.#folder = folder;
  }

  /** Makes void what was told of a step and of later ones, as they are taken again. */
  goBackTo(step: number): void {
    this.#firstStep = step;
  }

  /**
   * Adds what there is to tell of a step. While another program has the file open, it waits.
   *
   * @returns the error where the file is in use
   * @throws CharnnError `NOT_WRITABLE`, or `NOT_READABLE` where it can't be told which files are there
   */
  async add(step: number, summaries: readonly Summary[]): Promise<Error | undefined> {
    const wallTime = Date.now() / 1e3;
    const events: TensorBoardEvent[] = [];
    if (!this.#hasEvents) events.push({ wallTime, step: 0, fileVersion: FILE_VERSION });
    if (this.#firstStep !== undefined) {
      events.push({ wallTime, step: this.#firstStep, begins: true });
    }
    events.push({ wallTime, step, summaries });
    this.#hasEvents = true;
    this.#firstStep = undefined;
    return this.#records.add([Buffer.concat(events.map(encodeEvent).map(encodeRecord))]);
  }

  /**
   * Writes all that waits.
   *
   * @throws CharnnError `NOT_WRITABLE` also where the file is in use
   */
  async finish(): Promise<void> {
    await this.#records.finish();
  }

  async #append(records: Buffer): Promise<void> {
    const path = this.#path ?? (await newPath(this.#folder));
    await appendWhole(path, records);
    this.#path = path;
  }
}

/**
 * TensorBoard reads the files of a folder in the order of their names, in which the time comes first. So a
 * file gets a later time than those that are there, also where the clock has been set back since.
 */
async function newPath(folder: string): Promise<string> {
  let time = String(Date.now());
  for (const name of await namesIn(folder)) {
    const [, other] = FILE_NAME.exec(name) ?? [];
    if (other === undefined) continue;
    // Other programs write seconds or microseconds: digits of a common length are compared.
    const length = Math.max(time.length, other.length);
    const next = String(BigInt(other.padEnd(length, "0")) + 1n);
    if (next > time.padEnd(length, "0")) time = next;
  }
  return join(folder, `${EVENT_FILE_PREFIX}.${time}.${hostname()}.${process.pid}`);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw notReadable(folder, error);
  }
}

/** By remainder: CRC-32C (Castagnoli) of one byte, bits reversed (RFC 3720, appendix B.4). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** The CRC-32C of some bytes, of which Node.js has none. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** As it is stored: the checksum of data that holds checksums would be no good. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/**
 * Bytes as a record of TensorFlow's format for them: their number and the bytes, each followed by its
 * checksum.
 */
export function encodeRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(data.length + 16);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(masked(crc32c(record.subarray(0, 8))), 8);
  record.set(data, 12);
  record.writeUInt32LE(masked(crc32c(data)), 12 + data.length);
  return record;
}
