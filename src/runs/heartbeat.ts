import { Worker } from "node:worker_threads";
import { type Beating, beatEverySecond } from "./beat.js";

/**
 * Shows other processes every second that this one still holds its lock. It runs in a worker thread, since a
 * step of a large model can block the main thread for longer. It does not keep the process alive.
 *
 * @returns stops it
 */
export function startHeartbeat(beating: Beating): () => Promise<void> {
  let ownBeats: NodeJS.Timeout | undefined;
  // Where there can be no more threads, this one has to do.
  const beatHere = () => {
    ownBeats ??= beatEverySecond(beating).unref();
  };
  const worker = startWorker(beating, beatHere);
  if (!worker) beatHere();
  return async () => {
    await worker?.terminate();
    clearInterval(ownBeats);
  };
}

function startWorker(beating: Beating, onError: () => void): Worker | undefined {
  try {
    const worker = new Worker(new URL("./heartbeat-worker.js", import.meta.url), {
      workerData: beating,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    worker.on("error", onError);
    worker.unref();
    return worker;
  } catch {
    return undefined;
  }
}
