import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { installedLauncher } from "#src/ranks/installed-launcher.js";
import { temporaryFolder } from "../helpers/folder.js";
import { noPosix } from "../helpers/system.js";

const VERSIONS = [
  ["mpirun (Open MPI) 4.1.4\n\nReport bugs to http://www.open-mpi.org/\n", "Open MPI 4.1.4"],
  ["mpirun (Open MPI) 5.0.11\n", "Open MPI 5.0.11"],
  ["HYDRA build details:\n    Version:                                 4.0.2\n", "MPICH 4.0.2"],
  ["Some MPI, release 7\nmore\n", "Some MPI, release 7"],
] as const;

test("The launcher that is installed is known by what it says of its version", {
  skip: noPosix,
}, async (t) => {
  const PATH = await temporaryFolder(t);
  assert.equal(installedLauncher({ PATH }), undefined);
  const file = path.join(PATH, "mpirun");
  for (const [says, library] of VERSIONS) {
    await writeFile(
      file,
      `#!/bin/sh\nprintf '%s' ${JSON.stringify(says).replaceAll("\\n", "\n")}\n`,
    );
    await chmod(file, 0o755);
    assert.deepEqual(installedLauncher({ PATH }), { library });
  }
  await writeFile(file, "#!/bin/sh\nexit 1\n");
  assert.equal(installedLauncher({ PATH }), undefined);
});
