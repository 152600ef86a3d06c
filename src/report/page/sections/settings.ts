import type { ReportedRun } from "../../reported-run.js";
import { type ComparedSetting, comparedSettings, settingsOf } from "../../settings.js";
import { type Html, html } from "../html.js";
import { rowOf, runName, table } from "../tables.js";

/** The settings of the runs side by side, those that differ first; nothing where no run has a checkpoint. */
export function settingsSection(runs: readonly ReportedRun[]): Html {
  const own = runs.flatMap(({ facts, metrics }, k) =>
    facts ? [{ name: runName(metrics.run.name, k), settings: settingsOf(facts) }] : [],
  );
  if (own.length === 0) return html``;
  const { differing, equal } = comparedSettings(own.map(({ settings }) => settings));
  const names = own.map(({ name }) => name);
  return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2>
${
  own.length === 1
    ? inGroups(equal)
    : html`${differing.length > 0 ? settingsTable("Settings that differ", names, differing) : html`<p>All are the same.</p>`}
<details><summary>${equal.length} settings are the same in all runs</summary>${settingsTable(
        "Settings that are the same",
        ["all runs"],
        equal,
      )}</details>`
}</section>
`;
}

/** The settings of one run. */
function inGroups(settings: readonly ComparedSetting[]): Html {
  const groups = [...new Set(settings.map(({ group }) => group))];
  return html`<div class="groups">${groups.map((group) => {
    const rows = settings.filter((setting) => setting.group === group);
    return html`<div><h3>${group}</h3><table><tbody>${rows.map(({ name, values }) => rowOf([name, ...values]))}</tbody></table></div>`;
  })}</div>`;
}

function settingsTable(
  label: string,
  columns: readonly (Html | string)[],
  rows: readonly ComparedSetting[],
): Html {
  return table(
    label,
    ["setting", ...columns],
    rows.map(({ group, name, values }) => [
      html`<span class="quiet">${group}:</span> ${name}`,
      ...values.slice(0, columns.length),
    ]),
  );
}
