import * as v from "valibot";

/** JSON writes null for what is not finite, but reads 1e999. */
const finite = v.pipe(v.number(), v.finite());
const fromZero = v.pipe(finite, v.minValue(0));
const loss = v.nullish(finite);

const reportSchema = v.variant("event", [
  v.object({
    event: v.literal("step"),
    step: fromZero,
    epoch: fromZero,
    loss,
    learningRate: fromZero,
    gradientNorm: v.nullish(finite),
    charsPerSecond: v.nullish(finite),
    seconds: fromZero,
  }),
  v.object({
    event: v.literal("eval"),
    step: fromZero,
    epoch: fromZero,
    loss,
    validationLoss: loss,
    learningRate: fromZero,
    seconds: fromZero,
  }),
  v.object({ event: v.literal("sample"), step: fromZero, text: v.string() }),
]);

/** What a line of a run's metrics says. */
export type Report = v.InferOutput<typeof reportSchema>;
export type StepReport = Extract<Report, { event: "step" }>;
export type EvalReport = Extract<Report, { event: "eval" }>;
export type SampleReport = Extract<Report, { event: "sample" }>;

/** What a line says; undefined where it is damaged. */
export function reportOf(line: Uint8Array | undefined): Report | undefined {
  if (!line) return undefined;
  try {
    const { success, output } = v.safeParse(reportSchema, JSON.parse(line.toString()));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}
