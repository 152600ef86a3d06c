/**
 * What dropout costs a training step. One learner drops nothing, and one drops at each place where
 * charnn can; they take their steps in turn in one process, so that a shared machine slows all of them
 * alike. Prints the median of the ratios to the step beside it that drops nothing.
 *
 *     npm run bench:dropout -- [--hidden-sizes 256,512,1024] [--rounds 100] [--threads 2]
 */
import { parseArgs } from "node:util";
import { median } from "#src/arrays.js";
import { openBackend } from "#src/backends/select.js";
import { createLearner } from "#src/benchmark/training-speed.js";
import { modelConfig } from "#src/config/model.js";
import { NO_DROPOUT } from "#src/model/dropout.js";

const { values: options } = parseArgs({
  options: {
    "hidden-sizes": { type: "string", default: "256,512,1024" },
    rounds: { type: "string", default: "100" },
    threads: { type: "string", default: "2" },
  },
});

const SHAPE = { batchSize: 32, seqLength: 64 };
const DROPPED = {
  nothing: {},
  outputs: { dropout: 0.2 },
  vectors: { inputDropout: 0.1 },
  state: { recurrentDropout: 0.1 },
  "outputs, vectors and state": { dropout: 0.2, inputDropout: 0.1, recurrentDropout: 0.1 },
  "recurrent weights": { weightDropout: 0.2 },
};
/** Steps that are not counted: the first ones make the arrays, and the compiler is at work. */
const WARM_UP = 5;

const backend = await openBackend("native", Number(options.threads));
for (const hiddenSize of options["hidden-sizes"].split(",").map(Number)) {
  await compare(hiddenSize);
}

async function compare(hiddenSize: number): Promise<void> {
  const model = modelConfig({
    cell: "gru",
    layers: 1,
    hiddenSize,
    embeddingSize: hiddenSize / 8,
    vocabularySize: 65,
  });
  const learners: {
    name: string;
    learner: Awaited<ReturnType<typeof createLearner>>;
    seconds: number[];
  }[] = [];
  for (const [name, rates] of Object.entries(DROPPED)) {
    const shape = { ...SHAPE, ...NO_DROPOUT, ...rates };
    const learner = await createLearner(backend, model, shape);
    learners.push({ name, learner, seconds: [] });
  }
  for (let round = -WARM_UP; round < Number(options.rounds); round++) {
    for (const { learner, seconds } of learners) {
      const start = performance.now();
      await learner.run("step");
      if (round >= 0) seconds.push((performance.now() - start) / 1e3);
    }
  }
  const plain = learners[0].seconds;
  console.log(`GRU 1x${hiddenSize}: ${(1e3 * median(plain)).toFixed(1)} ms a step`);
  for (const { name, learner, seconds } of learners) {
    const ratio = median(seconds.map((time, round) => time / plain[round]));
    if (name !== "nothing") console.log(`  ${name}: ${(100 * (ratio - 1)).toFixed(1)} % more`);
    learner.dispose();
  }
}
