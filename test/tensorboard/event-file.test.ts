import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { EventFile } from "#src/tensorboard/event-file.js";
import { temporaryFolder } from "../helpers/folder.js";

/** Some clocks are set back, and some programs write seconds or microseconds. */
const TIMES = ["2000", "1700000000", "1800000000", "8999999999998", "1799999999999999", "1.2.3"];

for (const time of TIMES) {
  test(`a new event file comes after one of the time ${time}`, async (t) => {
    const folder = await temporaryFolder(t);
    const earlier = `events.out.tfevents.${time}.host.1`;
    await writeFile(path.join(folder, earlier), "");
    await writeFile(path.join(folder, "events.out.tfevents.notes"), "");
    const first = new EventFile(folder, 1);
    await first.add(1, [{ tag: "loss", scalar: 1 }]);
    await first.add(2, [{ tag: "loss", scalar: 1 }]);
    await new EventFile(folder, 3).add(3, [{ tag: "loss", scalar: 1 }]);
    const names = (await readdir(folder)).filter((name) => !name.endsWith("notes"));
    assert.equal(names.length, 3);
    assert.equal(names.sort()[0], earlier);
  });
}
