import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { EventReaders, eventOf } from "#src/report/watch/event-readers.js";
import { slow } from "../helpers/slow.js";

/** More than the system takes for somebody who does not read. */
const LARGE = eventOf({ figures: "x".repeat(32 * 2 ** 20) });
const CHANGE = eventOf({ figures: "y".repeat(2 ** 20) });
const WHOLE = eventOf({ figures: "whole" });

/** A server that makes a reader of whoever connects, and a connection to it. */
async function connected(t: TestContext, whole: Buffer) {
  const readers = new EventReaders();
  let sent: ServerResponse | undefined;
  const server = createServer((_, response) => {
    sent = response;
    readers.add(response, whole, 0);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const request = get(`http://127.0.0.1:${port}/`);
  const [message] = (await once(request, "response")) as [IncomingMessage];
  message.on("error", () => {});
  message.pause();
  /** Bytes that have been sent and not been taken by the system. */
  const bufferedBytes = () => sent?.writableLength ?? 0;
  return { readers, message, bufferedBytes };
}

/** What comes until the end of an event with this figure. */
async function readTo(message: IncomingMessage, figure: string): Promise<string> {
  let text = "";
  for (;;) {
    const chunk = message.read();
    if (chunk === null) await once(message, "readable");
    else text += chunk;
    if (text.endsWith(`"figures":"${figure}"}\n\n`)) return text;
  }
}

test("Readers of events are sent each change once they have taken the one before", async (t) => {
  const { readers, message } = await connected(t, WHOLE);
  await readTo(message, "whole");
  for (const figure of ["one", "two"]) {
    readers.send(eventOf({ figures: figure }), () => WHOLE, 0);
    assert.equal((await readTo(message, figure)).split("data:").length, 2);
  }
});

test("Readers of events take no more memory than what they have not read yet, while much is sent", async (t) => {
  const { readers, bufferedBytes } = await connected(t, LARGE);
  const buffered = bufferedBytes();
  assert.ok(buffered > 0);
  for (let k = 0; k < 1_000; k++) readers.send(CHANGE, () => WHOLE, k);
  assert.ok(bufferedBytes() <= buffered);
  assert.equal(readers.size, 1);
});

slow("Readers of events get everything when they have fallen behind and read on", async (t) => {
  const { readers, message, bufferedBytes } = await connected(t, LARGE);
  readers.send(CHANGE, () => WHOLE, 1);
  const reading = readTo(message, "whole");
  while (bufferedBytes() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  readers.send(undefined, () => WHOLE, 2);
  const text = await reading;
  assert.equal(text.length, LARGE.length + WHOLE.length);
});

test("Readers of events are disconnected when they don't read", async (t) => {
  const { readers, message } = await connected(t, LARGE);
  const closed = new Promise((resolve) => message.once("close", resolve));
  readers.send(CHANGE, () => WHOLE, 10_000);
  assert.equal(readers.size, 1);
  readers.send(undefined, () => WHOLE, 10_001);
  while (readers.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  message.resume();
  await closed;
});
