import type { Command } from "commander";
import type { BackendDiagnosis, Diagnosis } from "../../benchmark/diagnose.js";
import { CELLS } from "../../config/cells.js";
import { FLAG } from "../../config/kinds.js";
import type { OptionsOf } from "../../config/option.js";
import { jsonOption } from "../../config/shared.js";
import { CharnnError } from "../../errors.js";
import { counted, formatCount } from "../../text.js";
import type { CommandContext } from "../context.js";
import { columns } from "../format/format.js";
import { installCompiler } from "../install-compiler.js";
import { installTensorFlow } from "../install-tensorflow.js";
import { addOptions } from "../options/add-options.js";
import { createStatus } from "../terminal/status.js";

interface DoctorOptions {
  readonly installCompiler?: boolean;
  readonly installTensorflow?: boolean;
  readonly gpu?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const DOCTOR = {
  installCompiler: {
    kind: FLAG,
    help: "Get a C++ compiler from PyPI and compile the native backend (in a clone)",
  },
  installTensorflow: {
    kind: FLAG,
    help: "Get what the tensorflow backend needs from npm and PyPI",
  },
  gpu: { kind: FLAG, help: "With --install-tensorflow: get the library for NVIDIA GPUs" },
  yes: { kind: FLAG, short: "-y", help: "Install without asking" },
  json: jsonOption("one object"),
} as const satisfies OptionsOf<DoctorOptions>;

export function doctorCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption, version } = context;
  const command = program
    .command("doctor")
    .summary("Check the machine")
    .description(
      "Show which backends work on this machine, how fast they are, and what is missing.",
    );
  addOptions(command, DOCTOR, [
    "charnn doctor",
    "charnn doctor --json",
    "charnn doctor --install-compiler",
    "charnn doctor --install-tensorflow",
    "charnn doctor --install-tensorflow --gpu --yes",
  ]).action(async (options: DoctorOptions) => {
    const { json, gpu, yes } = options;
    if (gpu && !options.installTensorflow) {
      throw new CharnnError("INVALID_SETTING", "--gpu belongs to --install-tensorflow.");
    }
    if (yes && !options.installTensorflow && !options.installCompiler) {
      throw new CharnnError(
        "INVALID_SETTING",
        "--yes belongs to --install-compiler and --install-tensorflow.",
      );
    }
    if (options.installCompiler && !(await installCompiler(context, { yes }))) return;
    if (options.installTensorflow && !(await installTensorFlow(context, { gpu, yes }))) return;
    const { diagnose } = await import("../../benchmark/diagnose.js");
    const status = createStatus(context);
    status.show("Trying the backends");
    const diagnosis = await diagnose({ signal: interruption.signal }).finally(status.stop);
    const text = json
      ? JSON.stringify({ version, ...diagnosis })
      : table(version, diagnosis, terminal.outWidth);
    await terminal.out(`${text}\n`);
  });
}

const NO_LAUNCHER =
  "not found; needed only to train on several machines (apt-get install openmpi-bin)";

function table(version: string, diagnosis: Diagnosis, width: number | undefined): string {
  const { node, platform, architecture, processor = "unknown", cores, backends } = diagnosis;
  const { defaultThreads, auto, launcher, model, batchSize, seqLength } = diagnosis;
  const rows = [
    ["charnn", version],
    ["Node.js", node.replace(/^v/, "")],
    ["platform", `${platform} ${architecture}`],
    ["processor", `${processor}, ${counted(cores, "core")}`],
    ["threads", `${defaultThreads.threads}: ${defaultThreads.why}`],
    ...backends.map((backend) => [backend.name, backendLine(backend)]),
    ["auto", `takes ${auto}`],
    [
      "mpirun",
      launcher
        ? `${launcher.library}; on several machines: mpirun --host a,b charnn train ...`
        : NO_LAUNCHER,
    ],
    [
      "measured",
      `training a ${CELLS[model.cell].title} of ${counted(model.layers, "layer")} of ` +
        `${model.hiddenSize}, ${batchSize} windows of ${seqLength} characters; more: charnn bench`,
    ],
  ];
  return columns(rows, width).join("\n");
}

function backendLine(backend: BackendDiagnosis): string {
  if (!backend.loads) {
    return [`does not load: ${backend.why}.`, backend.cure].filter(Boolean).join(" ");
  }
  const { threads, instructionSet, instructionSets = [], tensorflow, warning } = backend;
  const facts = [
    `${formatCount(backend.trainCharsPerSecond)} chars/s`,
    `${backend.trainGflops.toFixed(1)} GFLOP/s`,
    counted(threads, "thread"),
  ];
  if (instructionSet) facts.push(`${instructionSet} (of ${instructionSets.join(", ")})`);
  if (tensorflow) {
    const { version, device, cudnn } = tensorflow;
    const on = device === "GPU" ? " on a GPU" : "";
    facts.push(`TensorFlow ${version}${on}${cudnn ? " with cuDNN" : ""}`);
  }
  return [`loads: ${facts.join(", ")}`, warning].filter(Boolean).join(". ");
}
