import type { Command } from "commander";
import type { Benchmark, BenchmarkProgress } from "../../benchmark/benchmark.js";
import { BENCH, type BenchmarkCommandSettings } from "../../config/bench.js";
import { counted, formatCount } from "../../text.js";
import type { CommandContext } from "../context.js";
import { bytes, columns } from "../format/format.js";
import { processesRow } from "../format/processes.js";
import { modelLine } from "../format/summary.js";
import { addOptions } from "../options/add-options.js";
import { bar, withFacts } from "../terminal/bar.js";
import { createProgress } from "../terminal/progress.js";
import { createStatus } from "../terminal/status.js";

export function benchCommand(program: Command, context: CommandContext): void {
  const { terminal, interruption, ranks } = context;
  const command = program
    .command("bench")
    .summary("Measure the speed")
    .description("Measure how fast this machine trains and samples, on a random text.");
  addOptions(command, BENCH, [
    "charnn bench",
    "charnn bench --cell lstm --layers 2 --hidden-size 512 --batch-size 50 --seq-length 50",
    "charnn bench --threads 1 --streams 16 --json",
  ]).action(async ({ json, mpi: _, ...settings }: BenchmarkCommandSettings) => {
    const status = createStatus(context);
    const progress = createProgress(terminal);
    let measured: BenchmarkProgress["stage"] | undefined;
    interruption.restoreBy(progress.stop);
    try {
      status.show("Making the model");
      const { benchmarkTogether } = await import("../../benchmark/benchmark.js");
      const { leading } = await import("../../training/lead.js");
      let done = 0;
      let what = "";
      const draw = (width: number) => ({
        fraction: done,
        lines: [withFacts(`${bar(done, Math.floor(width / 4), terminal.marks)} `, [what], width)],
      });
      const onProgress = ({ stage, fraction }: BenchmarkProgress) => {
        done = (STAGES.indexOf(stage) + fraction) / STAGES.length;
        what = `${Math.floor(100 * done)}%  ${stage}`;
        if (stage === measured) return;
        status.stop();
        // At once, since a step of a large model keeps the process from drawing.
        progress.start(draw);
        measured = stage;
      };
      const { signal } = interruption;
      const options = { onProgress, onWarning: status.warn, signal, rankZero: leading(ranks) };
      const result = await benchmarkTogether(settings, options);
      progress.stop();
      await terminal.out(json ? `${JSON.stringify(result)}\n` : table(result));
    } finally {
      status.stop();
      progress.stop();
    }
  });
}

const STAGES: BenchmarkProgress["stage"][] = ["training", "sampling"];

/** `16 of 64 characters, for each of 4 workers` */
function batchesOf({ batchSize, seqLength, workers }: Benchmark): string {
  const shape = `${formatCount(batchSize)} of ${counted(seqLength, "character")}`;
  return workers > 1 ? `${shape}, for each of ${workers} workers` : shape;
}

function table(result: Benchmark): string {
  const { model, backend, threads, steps, streams } = result;
  const rows = [
    ["model", modelLine(model, result.parameters)],
    ["batches", batchesOf(result)],
    ...processesRow(result.processes),
    ["backend", `${backend}, ${counted(threads, "thread")}`],
    [
      "training",
      `${formatCount(result.trainCharsPerSecond)} chars/s, ${result.msPerStep.toFixed(2)} ms a step, ` +
        `${result.trainGflops.toFixed(1)} GFLOP/s (median of ${counted(steps, "step")})`,
    ],
    [
      "sampling",
      `${formatCount(result.sampleCharsPerSecond)} chars/s, ${counted(streams, "text")} at a time`,
    ],
    ["memory", `${bytes(result.peakRssBytes)} at its highest`],
  ];
  return `${columns(rows).join("\n")}\n`;
}
