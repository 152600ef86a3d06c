/** What the report's page does in a browser: draws the charts, and shows what each character holds. */
import type uPlotClass from "uplot";
import type { ChartData, PageData, TextData, Update } from "./data.js";

/** The library, which a script before this one brings. */
declare const uPlot: typeof uPlotClass;

const CHART_HEIGHT = 300;
/** Told apart on light and dark, by those too who see few colours. */
const LINE_COLORS = ["#e69f00", "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"];
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3]];

const page: PageData = JSON.parse(element("data").textContent ?? "");
const charts = new Map<string, uPlotClass>();

for (const name of ["loss", "rate", "speed"] as const) drawChart(name, page.charts[name]);
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

function drawChart(name: keyof PageData["charts"], data: ChartData): void {
  const place = element(`chart-${name}`);
  charts.get(name)?.destroy();
  const axis = { stroke: colorOf("--text"), grid: { stroke: colorOf("--line"), width: 1 } };
  const chart = new uPlot(
    {
      width: place.clientWidth,
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
    [data.steps, ...data.lines.map(({ values }) => values)] as uPlotClass.AlignedData,
    place,
  );
  charts.set(name, chart);
}

function redrawAll(): void {
  for (const name of ["loss", "rate", "speed"] as const) drawChart(name, page.charts[name]);
}

function resizeCharts(): void {
  for (const [name, chart] of charts) {
    chart.setSize({ width: element(`chart-${name}`).clientWidth, height: CHART_HEIGHT });
  }
}

/** Lets a person go through the text, and choose the unit whose activations colour it. */
function showText(text: TextData): void {
  const activations = Int8Array.from(atob(text.activations), (byte) => byte.charCodeAt(0));
  const places = [element("surprise-text"), element("neuron-text")];
  const [surprises, neurons] = places.map((place) => [...place.querySelectorAll("span")]);
  const unitField = element("unit") as HTMLInputElement;
  const activationOf = (place: number) =>
    activations[unit() * text.characters.length + place] / 127;
  const unit = () =>
    Math.min(Math.max(Math.trunc(Number(unitField.value)) || 0, 0), text.units - 1);

  function colorByUnit(): void {
    for (const [place, span] of neurons.entries()) {
      const value = activationOf(place);
      span.style.backgroundColor = `rgb(${value > 0 ? "230 120 0" : "0 114 220"} / ${Math.abs(value) * 0.6})`;
    }
  }

  function describe(place: number): string {
    const bits = text.bits[place];
    const parts = [named(text.characters[place])];
    if (bits !== null) {
      const expected = text.expected[place].map(
        ([character, probability]) => `${named(character)} ${Math.round(100 * probability)} %`,
      );
      parts.push(`${bits.toFixed(2)} bits`, `expected ${expected.join(", ")}`);
    }
    return parts.join("; ");
  }

  watchPlaces(places[0], surprises, element("surprise-status"), describe);
  watchPlaces(places[1], neurons, element("neuron-status"), (place) => {
    return `${named(text.characters[place])}; unit ${unit()} is ${activationOf(place).toFixed(2)}`;
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
function watchPlaces(
  text: HTMLElement,
  spans: readonly HTMLElement[],
  status: HTMLElement,
  describe: (place: number) => string,
): void {
  let current = -1;
  const goTo = (place: number) => {
    if (place < 0 || place >= spans.length) return;
    spans[current]?.classList.remove("current");
    current = place;
    spans[current].classList.add("current");
    status.textContent = describe(current);
  };
  text.addEventListener("pointermove", ({ target }) => {
    const place = spans.indexOf(target as HTMLElement);
    if (place >= 0) goTo(place);
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

/** Takes what is new from the server while the run goes on. */
function follow(): void {
  const source = new EventSource("events");
  const status = element("live");
  source.addEventListener("update", ({ data }) => {
    const update: Update = JSON.parse(data);
    Object.assign(page, { charts: update.charts });
    redrawAll();
    element("figures-body").innerHTML = update.figures;
    element("samples-body").innerHTML = update.samples;
    status.textContent = update.ended
      ? "The run is over."
      : "The run goes on; the page follows it.";
    if (update.ended) source.close();
  });
  source.addEventListener("error", () => {
    status.textContent = "Nobody serves the page any more; it shows what there was last.";
  });
}
