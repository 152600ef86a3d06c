/** Kills at random times. */
import {
  type Campaign,
  caseDraw,
  numbersTo,
  partOf,
  place,
  RESUME,
  resumesTo,
  run,
  type Tally,
  TRAIN,
  unbroken,
} from "./campaign.js";

export async function randomKills(campaign: Campaign, tally: Tally): Promise<void> {
  const expected = await unbroken(campaign);
  const start = performance.now();
  await run(await place(campaign), TRAIN);
  const whole = performance.now() - start;
  for (const number of partOf(campaign, numbersTo(campaign.long ? 1_000 : 12))) {
    const folder = await place(campaign);
    const draw = caseDraw(campaign.seed, number);
    const waits = [draw.uniform() * whole, draw.uniform() * whole];
    await tally.attempt(`seed ${campaign.seed}, number ${number}`, async () => {
      // Twice: the second hits what cleans up after the first.
      for (const [round, wait] of waits.entries()) {
        await run(folder, round === 0 ? TRAIN : RESUME, {
          onStart: (child) => setTimeout(() => child.kill("SIGKILL"), wait).unref(),
        });
      }
      return resumesTo(expected, folder);
    });
  }
}
