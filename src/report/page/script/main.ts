/** What the report's page does in a browser: draws the charts, and shows what each character holds. */
import type uPlotClass from "uplot";
import type {
  ChartChange,
  ChartData,
  Charts,
  ListChange,
  PageData,
  TextData,
  Update,
} from "./data.js";

/** The library, which a script before this one brings. */
declare const uPlot: typeof uPlotClass;

const CHART_HEIGHT = 300;
/** Told apart on light and dark, by those too who see few colours. */
const LINE_COLORS = ["#e69f00", "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"];
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3]];

const CHARTS = ["loss", "rate", "speed"] as const;
/** How long a page waits that was refused, in milliseconds. */
const RETRY = 5_000;

const page: PageData = JSON.parse(element("data").textContent ?? "");
const shown: Record<keyof Charts, ChartData> = { ...page.charts };
const charts = new Map<string, uPlotClass>();

redrawAll();
addEventListener("resize", resizeCharts);
// A chart is as wide as the page was, on paper as well.
addEventListener("beforeprint", resizeCharts);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
if (page.text) showText(page.text);
if (page.live) follow();

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no ${id}.`);
  return found;
}

/** A color of the page's style. */
function colorOf(name: string): string {
  return getComputedStyle(document.body).getPropertyValue(name).trim();
}

function drawChart(name: keyof Charts, data: ChartData): void {
  const container = element(`chart-${name}`);
  charts.get(name)?.destroy();
  const axis = { stroke: colorOf("--text"), grid: { stroke: colorOf("--line"), width: 1 } };
  const chart = new uPlot(
    {
      width: container.clientWidth,
      height: CHART_HEIGHT,
      scales: { x: { time: false } },
      axes: [axis, { ...axis, size: 64 }],
      series: [
        { label: "step" },
        ...data.lines.map((line, k) => ({
          label: line.name,
          stroke: LINE_COLORS[k % LINE_COLORS.length],
          dash: DASHES[Math.floor(k / 2) % DASHES.length],
          width: k % 2 === 0 ? 1.5 : 2.5,
          spanGaps: true,
        })),
      ],
    },
    columnsOf(data),
    container,
  );
  charts.set(name, chart);
}

function columnsOf({ steps, lines }: ChartData): uPlotClass.AlignedData {
  return [steps, ...lines.map(({ values }) => values)] as uPlotClass.AlignedData;
}

function redrawAll(): void {
  for (const name of CHARTS) drawChart(name, shown[name]);
}

function resizeCharts(): void {
  for (const [name, chart] of charts) {
    chart.setSize({ width: element(`chart-${name}`).clientWidth, height: CHART_HEIGHT });
  }
}

/** Lets a person go through the text, and choose the unit whose activations colour it. */
function showText(text: TextData): void {
  const activations = Int8Array.from(atob(text.activations), (byte) => byte.charCodeAt(0));
  const views = [element("surprisal-text"), element("neuron-text")];
  const [surprisals, neurons] = views.map((view) => [...view.querySelectorAll("span")]);
  const unitField = element("unit") as HTMLInputElement;
  const activationOf = (position: number) =>
    activations[unit() * text.characters.length + position] / 127;
  const unit = () =>
    Math.min(Math.max(Math.trunc(Number(unitField.value)) || 0, 0), text.units - 1);

  function colorByUnit(): void {
    for (const [position, span] of neurons.entries()) {
      const value = activationOf(position);
      span.style.backgroundColor = `rgb(${value > 0 ? "230 120 0" : "0 114 220"} / ${Math.abs(value) * 0.6})`;
    }
  }

  function describe(position: number): string {
    const bits = text.bits[position];
    const parts = [named(text.characters[position])];
    if (bits !== null) {
      const expected = text.expected[position].map(
        ([character, probability]) => `${named(character)} ${Math.round(100 * probability)} %`,
      );
      parts.push(`${bits.toFixed(2)} bits`, `expected ${expected.join(", ")}`);
    }
    return parts.join("; ");
  }

  watchCharacters(views[0], surprisals, element("surprisal-status"), describe);
  watchCharacters(views[1], neurons, element("neuron-status"), (position) => {
    return `${named(text.characters[position])}; unit ${unit()} is ${activationOf(position).toFixed(2)}`;
  });
  unitField.addEventListener("input", colorByUnit);
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-unit]")) {
    button.addEventListener("click", () => {
      unitField.value = button.dataset.unit ?? "0";
      colorByUnit();
    });
  }
  colorByUnit();
}

/** Says what there is to say of the character that the pointer or the arrow keys are at. */
function watchCharacters(
  text: HTMLElement,
  spans: readonly HTMLElement[],
  status: HTMLElement,
  describe: (position: number) => string,
): void {
  let current = -1;
  const goTo = (position: number) => {
    if (position < 0 || position >= spans.length) return;
    spans[current]?.classList.remove("current");
    current = position;
    spans[current].classList.add("current");
    status.textContent = describe(current);
  };
  text.addEventListener("pointermove", ({ target }) => {
    const position = spans.indexOf(target as HTMLElement);
    if (position >= 0) goTo(position);
  });
  text.addEventListener("keydown", (event) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      Home: -spans.length,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    goTo(Math.max(current + step, 0));
    spans[current]?.scrollIntoView({ block: "nearest" });
  });
}

/** A character as it is spoken of. */
function named(character: string): string {
  if (character === "\n") return "newline";
  return character === " " ? "space" : `"${character}"`;
}

/** Takes what is new from the server. Every connection begins with all there is. */
function follow(): void {
  // The address has the token that the server wants.
  const source = new EventSource(`events${location.search}`);
  source.addEventListener("update", ({ data }) => show(JSON.parse(data)));
  source.addEventListener("error", () => {
    element("live").textContent =
      "The page is not served at the moment; it shows what there was last.";
    // Refused, as where there are too many readers; else the browser tries again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, RETRY);
  });
}

function show(update: Update): void {
  if (update.edition !== undefined && update.edition !== page.edition) {
    location.reload();
    return;
  }
  for (const name of CHARTS) {
    const change = update.charts?.[name];
    if (change) extendChart(name, change);
  }
  if (update.figures !== undefined) element("figures-body").innerHTML = update.figures;
  if (update.evaluations) {
    const body = element("evaluations-body");
    cutAfter([...body.children], update.evaluations.from);
    body.insertAdjacentHTML("beforeend", update.evaluations.items.join(""));
    element("evaluations-count").textContent = String(body.children.length);
  }
  if (update.samples) showSamples(update.samples);
  const status = element("live");
  if (update.status !== undefined) status.dataset.status = update.status;
  status.textContent = status.dataset.status ?? "";
}

function extendChart(name: keyof Charts, { from, steps, lines }: ChartChange): void {
  const before = shown[name];
  const now: ChartData = {
    steps: [...before.steps.slice(0, from), ...steps],
    lines: lines.map(({ name, values }, k) => {
      return { name, values: [...(before.lines[k]?.values.slice(0, from) ?? []), ...values] };
    }),
  };
  shown[name] = now;
  const namesOf = ({ lines }: ChartData) => JSON.stringify(lines.map(({ name }) => name));
  const chart = charts.get(name);
  if (!chart || namesOf(before) !== namesOf(now)) {
    drawChart(name, now);
    return;
  }
  // A part that the reader chose by the mouse stays.
  const { min, max } = chart.scales.x;
  const isWhole = min === before.steps[0] && max === before.steps.at(-1);
  chart.setData(columnsOf(now), isWhole || min === null || before.steps.length < 2);
  if (!isWhole) chart.redraw();
}

/** The newest sample is at the top, and open. */
function showSamples({ from, items }: ListChange): void {
  const body = element("samples-body");
  const before = body.firstElementChild;
  cutAfter([...body.children].reverse(), from);
  for (const item of items) body.insertAdjacentHTML("afterbegin", item);
  const newest = body.firstElementChild as HTMLDetailsElement | null;
  if (newest && newest !== before) {
    newest.open = true;
    if (before instanceof HTMLDetailsElement) before.open = false;
  }
  element("samples-none").hidden = newest !== null;
}

function cutAfter(children: readonly Element[], count: number): void {
  for (const child of children.slice(count)) child.remove();
}
