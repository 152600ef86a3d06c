/** A loss that is finite but far above that of random guessing: the run goes back to its best state, or ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { MAX_BAD_STEPS } from "#src/config/run.js";
import type { TrainingEvent, TrainSettings } from "#src/index.js";
import { charnn, foxFolder } from "../helpers/executable.js";
import { failsWith } from "../helpers/failure.js";
import { slow } from "../helpers/slow.js";
import {
  endOf,
  fileOf,
  inventedText,
  only,
  smallRun,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

/** The rate rises until the weights explode, when some evaluations are done. */
function rising(place: Workplace, name: string) {
  const pace = { evalEvery: 4, saveEvery: 3, steps: 200 } as const;
  const rate = { schedule: "constant", warmupSteps: 150, learningRate: 60 } as const;
  return smallRun(place, { ...pace, ...rate, name, validation: 0.2 });
}

test("A run whose loss explodes at once ends with an error, and saves no best checkpoint", async (t) => {
  const place = await workplace(t);
  const events: TrainingEvent[] = [];
  const exploding = trained(
    smallRun(place, { learningRate: 100, steps: 60, evalEvery: 20 }),
    (event) => {
      events.push(event);
      return false;
    },
  );
  await assert.rejects(
    exploding,
    failsWith("DIVERGED", "far above that of random guessing", "3 times"),
  );
  assert.equal(only(events, "warning").length, 3);
  for (const { validationLoss = Number.NaN } of only(events, "eval")) {
    assert.ok(validationLoss < 30, `${validationLoss}`);
  }
});

slow(
  "A run whose loss explodes later goes back to its best state, with its average, at a lower rate",
  async (t) => {
    const place = await workplace(t, inventedText(2_000));
    const events: TrainingEvent[] = [];
    await trained(rising(place, "run"), (event) => {
      events.push(event);
      return false;
    }).catch(failsWith("DIVERGED"));
    const warnings = only(events, "warning").filter(({ message }) => /far above/.test(message));
    assert.ok(warnings.length > 0, "it has not exploded");
    const first = events.indexOf(warnings[0]);
    const best = only(events.slice(0, first), "eval").findLast((event) => event.best);
    assert.ok(best && best.step > 0);
    assert.ok(warnings[0].message.includes(`Going back to step ${best.step}, `));
    const [next] = only(events.slice(first), "step");
    const before = only(events.slice(0, first), "step").find(({ step }) => step === next.step);
    assert.equal(next.step, best.step + 1);
    assert.equal(next.loss, before?.loss, "the weights are those of then");
    assert.ok(next.learningRate < 0.34 * (before?.learningRate ?? 0));
    const { progress, tensors } = await readCheckpoint(`${place.out}/run/best.safetensors`);
    assert.ok((progress.bestLoss ?? Number.NaN) < 6);
    for (const { data } of tensors.values()) assert.ok(data.every(Number.isFinite));
  },
);

test("A run whose loss explodes is neither evaluated nor saved during the steps that exploded", async (t) => {
  const place = await workplace(t, inventedText(2_000));
  // Every step would be evaluated, but for those of a row of bad ones.
  const settings = { ...rising(place, "run"), evalEvery: 1, averageDecay: 0.999 };
  const events: TrainingEvent[] = [];
  await trained(settings, (event) => {
    events.push(event);
    return event.event === "warning";
  });
  const back = events.findIndex(({ event }) => event === "warning");
  assert.ok(back > 0, "it has not exploded");
  const steps = only(events.slice(0, back), "step").map(({ step }) => step);
  const evaluated = only(events.slice(0, back), "eval").map(({ step }) => step);
  assert.ok(evaluated.length > 1);
  assert.equal(evaluated.at(-1), steps.at(-1 - MAX_BAD_STEPS));
  const saved = only(events.slice(0, back), "checkpoint").at(-1);
  assert.equal(saved?.step, evaluated.at(-1));
});

test("A run whose loss explodes with nothing held out never goes back to weights that had exploded already", async (t) => {
  const place = await workplace(t, inventedText(2_000));
  const events: TrainingEvent[] = [];
  // The last checkpoint before the first bad step holds the weights by which that is bad.
  await trained({ ...rising(place, "run"), validation: 0, saveEvery: 1 }, (event) => {
    events.push(event);
    return event.event === "step" && only(events, "warning").length > 0;
  });
  const back = events.findIndex(({ event }) => event === "warning");
  assert.ok(back > 0, "it has not exploded");
  const [next] = only(events.slice(back), "step");
  assert.ok(next.loss < 10, `${next.loss}`);
});

test("A run whose loss explodes after it was resumed goes back to the same beginning as an unbroken one", async (t) => {
  const place = await workplace(t, inventedText(2_000));
  const run = (name: string) => ({ ...rising(place, name), validation: 0, saveEvery: 1 });
  const lossesAfterGoingBack = async (settings: TrainSettings) => {
    const events: TrainingEvent[] = [];
    await trained(settings, (event) => {
      events.push(event);
      return event.event === "step" && event.step === 9 && only(events, "warning").length > 0;
    });
    const back = events.findIndex(({ event }) => event === "warning");
    assert.match(only(events, "warning")[0].message, /Going back to step 0,/);
    return only(events.slice(back), "step").map(({ loss }) => loss);
  };
  await trained(run("resumed"), ({ event }) => event === "checkpoint");
  const resumed = await lossesAfterGoingBack({ ...run("resumed"), resume: true });
  assert.equal(resumed.length, 9);
  assert.deepEqual(resumed, await lossesAfterGoingBack(run("unbroken")));
});

slow(
  "A run whose loss explodes ends with the bytes of an unbroken one when it is interrupted around the going back",
  async (t) => {
    const place = await workplace(t, inventedText(2_000));
    const ended = (run: Promise<unknown>) => run.then(() => "done", failsWith("DIVERGED"));
    const unbroken = await ended(trained(rising(place, "unbroken")));
    for (const stop of ["before", "after"] as const) {
      let went = false;
      const left = trained(rising(place, stop), (event) => {
        const back = event.event === "warning" && /Going back/.test(event.message);
        if (stop === "before" ? back : went && event.event === "step") throw new Error("killed");
        went ||= back;
        return false;
      });
      await assert.rejects(left, /killed/);
      assert.equal(await ended(trained({ ...rising(place, stop), resume: true })), unbroken);
      for (const file of ["last.safetensors", "best.safetensors"]) {
        const bytes = await fileOf(place, stop, file);
        assert.ok(bytes.equals(await fileOf(place, "unbroken", file)), `${stop}: ${file}`);
      }
    }
  },
);

test("No explosion is found in a usual run, on a tiny text, and with weights that know another text well", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 80, learningRate: 0.02 }));
  const other = await workplace(t, "QZXW 1928374650 +*#\n".repeat(60));
  const tuned = smallRun(other, { steps: 20, initFrom: `${place.out}/run`, name: "tuned" });
  const tiny = await workplace(t, "ab ab ab ba ab\n".repeat(6));
  const learned = smallRun(tiny, { steps: 150, learningRate: 0.05, seqLength: 4, batchSize: 2 });
  for (const settings of [tuned, learned]) {
    const events = await trained(settings);
    const backs = only(events, "warning").filter(({ message }) => /Going back/.test(message));
    assert.deepEqual(backs, []);
    assert.equal(endOf(events).reason, "steps");
  }
});

test("The command train ends with 1 where the loss explodes", async (t) => {
  const cwd = await foxFolder(t);
  const rate = ["--learning-rate", "1e6", "--steps", "60", "--eval-every", "20"];
  const small = ["--preset", "tiny", "--hidden-size", "16", "--threads", "1"];
  const { code, stderr } = await charnn(t, ["train", "fox.txt", ...small, ...rate], { cwd });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /training has diverged/);
  assert.doesNotMatch(stderr, /e\+\d+ nats|best so far.*e\+/);
});

slow("The command train advises options with which the run does not diverge", async (t) => {
  const cwd = await foxFolder(t);
  const rates = [["1e30"], ["1e6", "--clip-norm", "0"], ["1e4", "--optimizer", "sgd"]];
  for (const [rate, ...more] of rates) {
    const small = ["--preset", "tiny", "--hidden-size", "16", "--threads", "1", "--steps", "60"];
    const args = ["train", "fox.txt", ...small, ...more, "--learning-rate", rate];
    const { code, stderr } = await charnn(t, args, { cwd });
    assert.equal(code, 1, stderr);
    const advised = Array.from(
      stderr.matchAll(/(--learning-rate|--clip-norm) ([\d.e-]+\d)/g),
      ([, option, value]) => ({ option, value }),
    );
    const followed = advised.reduce(
      (words, { option, value }) =>
        words.map((word, k) => (words[k - 1] === option ? value : word)),
      args,
    );
    assert.notDeepEqual(followed, args);
    const again = await charnn(t, followed, { cwd });
    assert.equal(again.code, 0, `${followed.join(" ")}\n${again.stderr}`);
  }
});
