/** Follows the report of a run as an open page does. */
import assert from "node:assert/strict";
import { request } from "node:http";
import type { TestContext } from "node:test";
import { type ReportSettings, watchRun } from "#src/index.js";
import type { Shown } from "#src/report/watch/shown.js";

type Charts = Shown["charts"];

const CHARTS = ["loss", "rate", "speed", "norm", "axes"] as const;
const NO_CHART = { steps: [], lines: [] };

const NOTHING: Shown = {
  runs: [],
  charts: { loss: NO_CHART, rate: NO_CHART, speed: NO_CHART, norm: NO_CHART, axes: NO_CHART },
  result: "",
  evaluations: [],
  samples: [],
  status: "",
  progress: "",
  edition: 0,
};

/** What a page shows that showed `before` and gets an update, as it comes in JSON. */
// biome-ignore lint/suspicious/noExplicitAny: it is what was parsed
export function updated(before: Shown, { charts, evaluations, samples, ...rest }: any): Shown {
  const list = (own: readonly string[], change: { from: number; items: string[] } | undefined) => {
    return change ? [...own.slice(0, change.from), ...change.items] : own;
  };
  const changed = { ...before.charts };
  for (const name of CHARTS) {
    const own = changed[name];
    const { from, steps, lines }: Charts["loss"] & { from: number } = charts?.[name] ?? {
      from: own.steps.length,
      steps: [],
      lines: own.lines.map((line) => ({ ...line, values: [] })),
    };
    changed[name] = {
      steps: [...own.steps.slice(0, from), ...steps],
      lines: lines.map((line, k) => {
        const values = own.lines[k]?.values.slice(0, from) ?? [];
        return { ...line, values: [...values, ...line.values] };
      }),
    };
  }
  return {
    ...before,
    ...rest,
    charts: changed,
    evaluations: list(before.evaluations, evaluations),
    samples: list(before.samples, samples),
  };
}

/** A page that is open: what it shows, and how much it was sent. */
export class OpenPage {
  shown = NOTHING;
  /** Bytes of the last event. */
  size = 0;
  #text = "";
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Waits for updates until what is shown is as it should be. */
  async until(isThere: (shown: Shown) => boolean): Promise<Shown> {
    do await this.next();
    while (!isThere(this.shown));
    return this.shown;
  }

  async next(): Promise<void> {
    let event = /^event: update\ndata: (.*)\n\n/.exec(this.#text);
    while (!event) {
      const { value, done } = await this.#reader.read();
      assert.ok(!done, "The server ended the stream.");
      this.#text += Buffer.from(value).toString();
      event = /^event: update\ndata: (.*)\n\n/.exec(this.#text);
    }
    this.#text = this.#text.slice(event[0].length);
    this.size = event[0].length;
    this.shown = updated(this.shown, JSON.parse(event[1]));
  }
}

/** The address of a page's events, or of something else beside it. */
export function beside(address: string, name: string): string {
  return address.replace("/?", `/${name}?`);
}

export async function openPage(address: string): Promise<OpenPage> {
  const response = await fetch(beside(address, "events"));
  assert.equal(response.status, 200);
  return new OpenPage(response.body as ReadableStream<Uint8Array>);
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** What a server answers to a request that names any host. */
export function asked(address: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<Answer>((resolve, reject) => {
    const ask = request(address, { headers, method }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    ask.on("error", reject).end();
  });
}

/** Serves a report until it is stopped, at the end of the test at the latest. */
export async function serve(t: TestContext, settings: ReportSettings) {
  const controller = new AbortController();
  const { signal } = controller;
  const waitsFor: string[] = [];
  const warnings: string[] = [];
  let served: Promise<void> | undefined;
  const address = await new Promise<string>((resolve, reject) => {
    served = watchRun(settings, {
      port: 0,
      signal,
      onAddress: resolve,
      onWaiting: (message) => waitsFor.push(message),
      onWarning: (message) => warnings.push(message),
    });
    served.catch(reject);
  });
  const stop = async () => {
    controller.abort();
    await served;
  };
  t.after(stop);
  return { address, stop, waitsFor, warnings };
}
