import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import { systemErrorCode } from "#src/system-error-code.js";
import { cureOf, notReadable, notWritable, reasonOf } from "#src/system-errors.js";
import { failsWith } from "./helpers/failure.js";
import { isWindows, noPosix } from "./helpers/system.js";

const UNNAMED = `Unknown system error -${constants.errno.EDQUOT}`;

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made to fail, open 'file'`), { code });
}

test("Errors of the operating system have a name where libuv has none", { skip: noPosix }, () => {
  const { EDQUOT, ESTALE } = constants.errno;
  assert.equal(systemErrorCode(systemError(`Unknown system error -${EDQUOT}`)), "EDQUOT");
  assert.equal(systemErrorCode(systemError(`Unknown system error -${ESTALE}`)), "ESTALE");
  const unknown = "Unknown system error -9999";
  assert.equal(systemErrorCode(systemError(unknown)), unknown);
});

test("Errors of the operating system are described in a sentence, not by their code", () => {
  for (const [code, reason] of [
    ["ENOSPC", "the disk is full"],
    ["EDQUOT", "your disk quota is used up"],
    ...(isWindows ? [] : ([[UNNAMED, "your disk quota is used up"]] as const)),
    ["EMFILE", "this process has too many files open"],
    ["ENFILE", "the system has too many files open"],
    ["EROFS", "the file system is read-only"],
    ["ESTALE", "stale file handle"],
    ["EACCES", "permission is denied"],
    ["EPERM", "permission is denied"],
    ["EIO", "the disk reports an error (EIO)"],
    ["ENAMETOOLONG", "its name is too long"],
    ["ETXTBSY", "it is a program that is running"],
    ["EISDIR", "it is a folder"],
    ["ELOOP", "round in circles"],
    ["ETIMEDOUT", "does not answer"],
  ] as const) {
    for (const error of [
      notReadable("some/file", systemError(code)),
      notWritable("some/file", systemError(code)),
    ]) {
      assert.match(error.message, /^some\/file can't be (?:read|written): .*\.$/);
      assert.ok(error.message.includes(reason), error.message);
      assert.ok(!error.message.includes("made to fail"), error.message);
    }
  }
});

test("Errors of the operating system keep the system's own words where charnn has none", () => {
  assert.equal(reasonOf(systemError("ESRCH")), "no such process (ESRCH)");
  assert.equal(reasonOf(new Error("what happened")), "what happened");
  assert.equal(cureOf(systemError("ESRCH")), undefined);
});

test("Errors of the operating system come with a remedy for where they happen", () => {
  assert.equal(cureOf(systemError("ENOSPC")), "Free some space.");
  assert.equal(
    cureOf(systemError("ENOSPC"), "choose another file with `output`"),
    "Free some space, or choose another file with `output`.",
  );
  assert.equal(
    cureOf(systemError("EROFS"), "choose another file with `output`"),
    "Choose another file with `output`.",
  );
  // Another folder is no help.
  assert.match(
    cureOf(systemError("EMFILE"), "choose another file") ?? "",
    /^(Raise|Name) [^,]*\.$/,
  );
  failsWith("NOT_WRITABLE", "`output`")(notWritable("page", systemError("EIO"), "use `output`"));
});

test("Errors of the operating system for a folder in a file's place advise to move it, since a run elsewhere is another run", () => {
  for (const error of [
    notWritable("file", systemError("EISDIR")),
    notReadable("file", systemError("EISDIR")),
  ]) {
    assert.equal(error.hint, "Move it elsewhere.");
  }
});

test("Errors of the operating system for a missing file name what is missing", () => {
  failsWith("NOT_FOUND", "there is no such file")(notReadable("file", systemError("ENOENT")));
  failsWith("NOT_READABLE", "denied")(notReadable("file", systemError("EACCES")));
  failsWith("NOT_WRITABLE", "no folder for it")(notWritable("file", systemError("ENOENT")));
});
