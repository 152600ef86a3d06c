import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";

/** The path of a new, empty folder that goes away with the test. */
export async function temporaryFolder(t: Pick<TestContext, "after">): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "charnn-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
