import type { EvalEvent, StartEvent, StepEvent } from "../../training/events.js";

/** What a run has reported, for those who show it. */
export class FollowedRun {
  started: StartEvent | undefined;
  totalSteps: number | undefined;
  latest: StepEvent | undefined;
  /** Validation losses so far, nats/char. */
  readonly heldOut: number[] = [];
  /** Evaluations since the best one. */
  sinceBest = 0;
  best: { readonly step: number; readonly loss: number } | undefined;

  start(event: StartEvent): void {
    this.started = event;
    this.totalSteps = event.totalSteps;
  }

  evaluate({ step, validationLoss, best }: EvalEvent): void {
    this.sinceBest = best ? 0 : this.sinceBest + 1;
    if (validationLoss === undefined) return;
    this.heldOut.push(validationLoss);
    if (best) this.best = { step, loss: validationLoss };
  }

  /** Seconds until the last step, as fast as steps have been; undefined where nobody knows. */
  get secondsLeft(): number | undefined {
    const { latest, totalSteps, started } = this;
    if (!latest || totalSteps === undefined) return undefined;
    const { step: first = 0, seconds: start = 0 } = started ?? {};
    const perStep = (latest.seconds - start) / Math.max(latest.step - first, 1);
    return (totalSteps - latest.step) * perStep;
  }

  /** The fraction of the steps that are taken. */
  get fraction(): number | undefined {
    const step = this.latest?.step ?? this.started?.step ?? 0;
    return this.totalSteps && step / this.totalSteps;
  }

  get totalEpochs(): number | undefined {
    return (
      this.started && this.totalSteps && Math.ceil(this.totalSteps / this.started.stepsPerEpoch)
    );
  }
}
