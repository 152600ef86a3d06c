import assert from "node:assert/strict";
import { test } from "node:test";
import { dataFolder } from "#src/data-folder.js";

test("Data is kept where it is usual on a system, or where XDG_DATA_HOME says", () => {
  const local = { LOCALAPPDATA: "D:\\Local" };
  for (const [platform, env, home, expected] of [
    ["linux", {}, "/home/me", "/home/me/.local/share"],
    ["darwin", {}, "/Users/me", "/Users/me/Library/Application Support"],
    ["win32", local, "C:\\Users\\me", "D:\\Local"],
    ["win32", {}, "C:\\Users\\me", "C:\\Users\\me\\AppData\\Local"],
    ["win32", { ...local, XDG_DATA_HOME: "E:\\data" }, "C:\\Users\\me", "E:\\data"],
    ["darwin", { XDG_DATA_HOME: "/data" }, "/Users/me", "/data"],
    ["linux", { XDG_DATA_HOME: "" }, "/home/me", "/home/me/.local/share"],
  ] as const) {
    assert.equal(dataFolder(env, platform, home), expected);
  }
});
