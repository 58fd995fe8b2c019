// The model room: a card for each saved model, from its manifest.

import { bytes, make, number } from "../dom.js";
import { isHysteretic } from "../models.js";

const GROUPS = [
  ["Materials with memory", isHysteretic],
  ["Sound", () => true],
];

/** Open the room. */
export function open(element, { models }) {
  element.append(
    make("h1", {}, "Models"),
    make("p", {}, `${models.length} models run in this page, each as the TFLite file that a `
      + "device would run. What stands here comes from their manifests."),
  );
  const rest = new Set(models);
  for (const [title, belongs] of GROUPS) {
    const group = [...rest].filter((model) => belongs(model.manifest));
    if (!group.length) continue;
    const grid = make("div", { class: "grid" });
    for (const model of group) {
      grid.append(card(model));
      rest.delete(model);
    }
    element.append(make("h2", {}, title), grid);
  }
}

function card({ name, manifest, files }) {
  const { parameters, macs, classes, licence, limits = [], description } = manifest;
  const facts = make("dl");
  const fact = (term, text) => text && facts.append(make("dt", {}, term), make("dd", {}, text));
  fact("Task", manifest.task);
  fact("Parameters", parameters.toLocaleString("en"));
  fact("Multiply–accumulates", macs && `${macs.value.toLocaleString("en")} a ${macs.per}`);
  fact("In this page", files.filter((file) => file.endsWith(".tflite"))
    .map((file) => `${file}, ${bytes(manifest.bytes[file])}`).join("; "));
  fact("Classes", classes?.join(", "));
  fact("Constants", manifest.constants && constants(manifest.constants));
  fact("Licence", licence);
  fact("Licence of the data", manifest.data_licence && String(manifest.data_licence));
  return make("article", { class: "panel", id: `model-${name}` },
    make("h3", {}, name), make("p", {}, description), facts,
    metrics(manifest.metrics ?? {}),
    make("details", {}, make("summary", {}, `Limits (${limits.length})`),
      make("ul", {}, ...limits.map((each) => make("li", {}, each)))));
}

function constants(values) {
  const text = (value) => (Array.isArray(value) ? `(${value.map(text).join(", ")})`
    : typeof value === "number" ? number(value, 4) : value);
  return Object.entries(values).map(([name, value]) => `${name} ${text(value)}`).join(", ");
}

/** A table of the figures with their intervals, beside their baselines. */
function metrics(splits) {
  const rows = Object.entries(splits).flatMap(([split, values]) =>
    Object.entries(values).map(([name, entry]) => [split, name, entry]));
  if (!rows.length) return null;
  const body = make("tbody", {}, ...rows.map(([split, name, entry]) => make("tr", {},
    make("th", { scope: "row" }, `${split}: ${name}`),
    make("td", { class: "number" }, figure(entry)),
    make("td", {}, entry.baseline === undefined ? "" :
      `${number(entry.baseline)} (${entry.baseline_name ?? "baseline"})`))));
  const head = make("thead", {}, make("tr", {}, ...["Figure", "Value", "Baseline"].map((text) =>
    make("th", { scope: "col" }, text))));
  return make("details", {}, make("summary", {}, `Figures (${rows.length})`),
    make("div", { class: "scroll" }, make("table", {}, head, body)));
}

function figure({ value, low, high, unit = "" }) {
  if (value === null || value === undefined) return "–";
  const interval = low === undefined ? "" : ` (${number(low)} to ${number(high)})`;
  return `${number(value)}${unit && ` ${unit}`}${interval}`;
}
