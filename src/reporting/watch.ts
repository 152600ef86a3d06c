import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { watchTraining } from "../checkpoint/run-lock.js";
import { CharnnError, systemErrorCode } from "../errors.js";
import { chartsOf } from "./charts.js";
import { readMetrics } from "./metrics.js";
import { figures, reportPage, samples } from "./page/page.js";
import type { Update } from "./page/script/data.js";
import { figuresOf, makeReport, type ReportSettings } from "./report.js";

/** Nothing beyond this machine can reach it. */
const HOST = "127.0.0.1";
/** How often the run is looked at. */
const MILLISECONDS_BETWEEN_LOOKS = 1_000;

/**
 * Serves the report of a run while it goes on, and tells open pages what is new. Only this machine can
 * ask, only by its own name, so that no page from elsewhere can by a name that it makes point here (DNS
 * rebinding); and whatever is asked for, there are only the page and its news.
 *
 * @param settings of one run
 * @param options `port` 0 takes one that is free; `onAddress` is told where the page is, when it is there
 * @returns when `signal` stops it
 * @throws CharnnError as `makeReport` does, and `INVALID_SETTING` for a port that is taken
 */
export async function watchRun(
  settings: ReportSettings,
  options: {
    readonly port: number;
    readonly signal: AbortSignal;
    readonly onAddress: (address: string) => void;
  },
): Promise<void> {
  // Whatever is wrong with the run is said before there is a server.
  const { runs } = await makeReport(settings);
  const { run } = runs[0];
  const readers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    if (!isOurs(request)) refuse(response, 403, "Only this machine may ask, by its own name.");
    else if (request.method !== "GET") refuse(response, 405, "There is only something to get.");
    else if (request.url === "/") void sendPage(settings, response);
    else if (request.url === "/events") addReader(readers, response);
    else refuse(response, 404, "There is nothing else here.");
  });
  try {
    const port = await listening(server, options.port);
    options.onAddress(`http://${HOST}:${port}/`);
    const isTrained = watchTraining(run);
    let seen = "";
    while (!options.signal.aborted) {
      const ended = !(await isTrained());
      const now = `${await versionOf(run.metrics)} ${ended}`;
      if (now !== seen) {
        const update = await updateOf(run.path, ended);
        if (update) for (const reader of readers) send(reader, update);
        seen = now;
      }
      await sleep(MILLISECONDS_BETWEEN_LOOKS, undefined, { signal: options.signal }).catch(
        () => {},
      );
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Whether a request was made of this machine by a name that only it has. */
function isOurs({ headers: { host }, socket }: IncomingMessage): boolean {
  return [HOST, "localhost"].some((name) => host === `${name}:${socket.localPort}`);
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${reason}\n`);
}

async function sendPage(settings: ReportSettings, response: ServerResponse): Promise<void> {
  try {
    const page = reportPage(await makeReport(settings), true);
    const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
    response.writeHead(200, headers).end(page);
  } catch (error) {
    refuse(response, 500, error instanceof CharnnError ? error.message : String(error));
  }
}

function addReader(readers: Set<ServerResponse>, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("\n");
  readers.add(response);
  response.on("close", () => readers.delete(response));
}

function send(reader: ServerResponse, update: Update): void {
  reader.write(`event: update\ndata: ${JSON.stringify(update)}\n\n`);
}

/** Undefined where there is nothing for a moment, as when a run begins anew. */
async function updateOf(run: string, ended: boolean): Promise<Update | undefined> {
  const metrics = await readMetrics(run, run).then(
    (read) => [read],
    (error: unknown) => {
      if (error instanceof CharnnError && error.code === "NOT_FOUND") return undefined;
      throw error;
    },
  );
  if (!metrics) return undefined;
  return {
    charts: chartsOf(metrics),
    figures: figures({ figures: figuresOf(metrics) }).text,
    samples: samples(metrics).text,
    ended,
  };
}

/** Changes whenever a file does, and when another takes its place. */
async function versionOf(path: string): Promise<string> {
  const stats = await stat(path).catch(() => undefined);
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeMs}` : "";
}

function listening(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const code = systemErrorCode(cause) ?? "";
      const reason = code === "EADDRINUSE" ? "is taken" : `can't be listened at (${code})`;
      reject(
        new CharnnError(
          "INVALID_SETTING",
          `port ${port} ${reason}.`,
          "Leave it out, for a free one.",
          {
            setting: "port",
            cause,
          },
        ),
      );
    });
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port));
  });
}
