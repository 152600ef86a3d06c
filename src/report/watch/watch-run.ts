import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { REPORT, type ReportSettings } from "../../config/report.js";
import { checked, schemaOf } from "../../config/schema.js";
import { planReport } from "../report.js";
import { eventOf } from "./event-readers.js";
import { PageServer } from "./page-server.js";
import { changeOf, wholeOf } from "./shown.js";
import { WatchedRun, type WatchOptions } from "./watched-run.js";

/** How often the run is looked at. */
const MILLISECONDS_BETWEEN_LOOKS = 1_000;

/**
 * Serves the report of a run on this machine while it is trained, and sends open pages what is new. The run
 * need not be there yet. Only someone who knows the address can read the page: it has a token that nobody can guess.
 *
 * @param settings of one run
 * @param options `port` 0 takes one that is free; `onAddress` is called with the page's address when the page
 *   can be read, and with another that leads there once, `onWaiting` with a sentence that says which run is not there yet; `onWarning` where the run
 *   can't be read for a while
 * @returns when `signal` stops it
 * @throws CharnnError for a run or a text that can't be read at the start, and `INVALID_SETTING` for a port
 *   that is taken
 */
export async function watchRun(
  settings: ReportSettings,
  {
    port,
    signal,
    onAddress,
    stdin,
    onWaiting = () => {},
    onWarning = () => {},
    onWork,
  }: {
    readonly port: number;
    readonly signal: AbortSignal;
    readonly onAddress: (address: string, forOnce: string) => void;
    readonly stdin?: AsyncIterable<Uint8Array>;
  } & Partial<Pick<WatchOptions, "onWaiting" | "onWarning" | "onWork">>,
): Promise<void> {
  checked(v.object({ port: schemaOf(REPORT.port.kind) }), { port });
  const run = new WatchedRun(planReport(settings), { stdin, signal, onWaiting, onWarning, onWork });
  try {
    await run.begin();
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  let sent = run.shown;
  // What a new reader begins with is what the changes that follow are based on.
  const whole = () => eventOf(wholeOf(sent));
  const server = new PageServer({ page: () => run.page(), whole });
  try {
    const address = await server.listen(port);
    onAddress(address, server.addressForOnce(address));
    while (!signal.aborted) {
      await run.look();
      const change = changeOf(sent, run.shown);
      sent = run.shown;
      server.readers.send(change && eventOf(change), whole, performance.now());
      await sleep(MILLISECONDS_BETWEEN_LOOKS, undefined, { signal }).catch(() => {});
    }
  } finally {
    server.close();
  }
}
