import type { ServerResponse } from "node:http";

/** More than a person opens. */
const MAX_READERS = 32;
/** Milliseconds in which a reader must have taken what it was sent. */
const PATIENCE = 10_000;

interface Reader {
  readonly response: ServerResponse;
  /** When it was last found to have read everything that it was sent. */
  drainedAt: number;
  /** Whether there was an update that it was not sent. */
  isBehind: boolean;
}

/**
 * Those who follow a run by server-sent events. No more is kept for one that reads slowly than the update it
 * has not taken yet: the next one it gets says everything. One that does not read is dropped; its browser
 * connects again by itself.
 */
export class EventReaders {
  readonly #readers = new Set<Reader>();

  get size(): number {
    return this.#readers.size;
  }

  get isFull(): boolean {
    return this.size >= MAX_READERS;
  }

  /** @param whole an update that says everything */
  add(response: ServerResponse, whole: Buffer, now: number): void {
    const reader: Reader = { response, drainedAt: now, isBehind: false };
    this.#readers.add(reader);
    response.on("close", () => this.#readers.delete(reader));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(whole);
  }

  /**
   * To be called repeatedly, also when nothing has changed.
   *
   * @param change undefined where nothing has
   * @param whole makes an update that says everything
   * @param now in milliseconds
   */
  send(change: Buffer | undefined, whole: () => Buffer, now: number): void {
    let all: Buffer | undefined;
    for (const reader of this.#readers) {
      const { response } = reader;
      if (response.writableLength > 0) {
        if (change) reader.isBehind = true;
        if (now - reader.drainedAt > PATIENCE) response.destroy();
        continue;
      }
      reader.drainedAt = now;
      if (reader.isBehind) {
        all ??= whole();
        response.write(all);
        reader.isBehind = false;
      } else if (change) response.write(change);
    }
  }
}

/** An update as a server-sent event. */
export function eventOf(update: object): Buffer {
  return Buffer.from(`event: update\ndata: ${JSON.stringify(update)}\n\n`);
}
