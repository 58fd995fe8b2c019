// One stress model as a page: a loading path, loop, history, tangent and states. No runtime: the
// model is a module that `zoo export --javascript` writes.

import { logSlider, make, number } from "../dom.js";
import { saveFile } from "../files.js";
import { halved, steps } from "../path.js";
import { PathPad } from "../pathpad.js";
import { LinePlot } from "../plot.js";
import { rms, selfConsistency, Simulation } from "../simulation.js";
import { StateMaps } from "../statemaps.js";
import { about } from "./about.js";
import { size, states, step } from "./model.js";

const MAX_STEPS = 20000;
const COLOUR = "--c1";

/** Simulation of the module; the state carries the tangent of its step. */
function simulation(keeps) {
  return new Simulation(
    () => ({ strain: 0, values: new Float64Array(size) }),
    (before, [strain, , dt]) => {
      const values = new Float64Array(size);
      const [stress, tangent] = step(before.strain, strain, dt, before.values, values);
      const outputs = states.map(([name, at, width]) => [name, values.subarray(at, at + width)]);
      return {
        stress, state: { strain, values, tangent }, outputs: Object.fromEntries(outputs),
      };
    }, keeps);
}

class ModelPage {
  constructor(element) {
    const { limits } = about;
    Object.assign(this, { cursor: null, simulation: simulation(true) });
    const loading = make("section", { class: "panel drop", "aria-label": "Loading" });
    const panels = ["Loop", "History", "Tangent"].map((title) =>
      make("section", { class: "panel", "aria-label": title }, make("h2", {}, title)));
    const inside = make("section", { class: "panel", "aria-label": "Inside" });
    element.append(make("h1", {}, about.name), make("p", {}, about.description),
      make("div", { class: "grid two" }, loading, ...panels), inside, this.facts());
    loading.append(make("h2", {}, "Loading"));
    this.pad = new PathPad(loading, {
      limits, title: label(about.loading), onchange: () => this.pad && this.changed(),
    });
    const { amplitude, largest, duration, dt } = limits;
    const sliders = [
      logSlider("Amplitude", {
        low: largest / 200, high: 2.5 * largest, value: amplitude, unit: "",
        onchange: (value) => this.pad.setLimits({
          amplitude: value, largest: Math.max(value, largest) }),
      }),
      logSlider("Duration", {
        low: duration / 10, high: duration * 100, value: duration, unit: "s",
        onchange: (value) => this.pad.setLimits({ duration: value }),
      }),
      this.dt = logSlider("Time step", {
        low: dt / 100, high: dt * 20, value: dt, unit: "s", onchange: () => this.changed(),
      }),
    ];
    this.note = make("p", { class: "small quiet", role: "status" });
    loading.append(...sliders.map((each) => each.element), this.note,
      make("div", { class: "row" }, make("button", { type: "button", onclick: () => this.save() },
        "Save as CSV")));
    this.plots(panels);
    this.maps = new StateMaps(inside, {
      onchoose: () => this.pad && this.draw(), oncursor: (k) => this.setCursor(k),
    });
    this.changed();
    this.maps.setModels([{ name: about.name, simulation: this.simulation }]);
    element.dataset.ready = "true";
  }

  plots([loop, history, tangent]) {
    const [x, y] = [label(about.loading), label(about.response)];
    this.loop = new LinePlot(loop, { description: "Loop", x, y, height: 320 });
    this.history = new LinePlot(history, { description: "History", x: "time [s]", y, height: 260 });
    this.tangent = new LinePlot(tangent, {
      description: "Tangent", x: "time [s]", y: `d ${about.response[0]} / d ${about.loading[0]}`,
      height: 260,
    });
    this.cursorInput = make("input", {
      type: "range", min: 0, max: 1, value: 0, "aria-label": "Cursor: time step",
      oninput: (event) => this.setCursor(Number(event.target.value)),
    });
    this.values = make("p", { class: "small" });
    history.append(this.cursorInput, this.values);
    for (const plot of [this.history, this.tangent]) {
      plot.canvas.addEventListener("pointermove", (event) => {
        if (plot.box) this.setCursor(Math.round(plot.at(event).x / this.path.dt) - 1);
      });
    }
  }

  facts() {
    return make("section", { class: "panel" }, make("h2", {}, "Limits"),
      make("ul", {}, ...about.limitations.map((each) => make("li", {}, each))),
      make("p", { class: "small quiet" }, about.origin));
  }

  /** Another path or time step: from rest to the end, which takes milliseconds. */
  changed() {
    const { path } = this.pad;
    const duration = path.time.at(-1);
    if (!(duration > 0)) return;
    this.path = steps(path, Math.max(this.dt.value, duration / MAX_STEPS));
    this.simulation.restart(this.path, 0);
    while (!this.simulation.isDone) this.simulation.step();
    const last = this.path.time.length - 1;
    this.cursorInput.max = last;
    if (this.cursor !== null) this.cursor = Math.min(this.cursor, last);
    this.draw();
    clearTimeout(this.waiting);
    this.note.textContent = this.summary("…");
    this.waiting = setTimeout(() => this.consistency(), 200);
  }

  /** The same path with every step cut in two. */
  consistency() {
    const fine = simulation(false);
    fine.restart(halved(this.path), 0);
    while (!fine.isDone) fine.step();
    const { stress } = this.simulation;
    const share = selfConsistency(stress, fine.stress, rms(stress));
    this.note.textContent = this.summary(`${number(100 * share, 2)} %`);
  }

  summary(consistency) {
    return `${this.path.time.length} steps of ${number(this.path.dt)} s. Self-consistency, the `
      + `change of the answer when every step is cut in two: ${consistency}`;
  }

  draw() {
    const { path, cursor, simulation: { stress, states: all } } = this;
    if (!path) return;
    const tangent = all.map((each) => each.tangent);
    const at = (x, y) => (cursor === null ? [] : [{ color: COLOUR, x: x[cursor], y: y[cursor] }]);
    const time = cursor === null ? null : path.time[cursor];
    const line = (x, y) => ({ series: [{ x, y, color: COLOUR }], points: at(x, y) });
    this.loop.draw(line(path.strain, stress));
    this.history.draw({ ...line(path.time, stress), cursor: time });
    this.tangent.draw({ ...line(path.time, tangent), cursor: time });
    this.pad.draw(time);
    this.maps.draw(cursor);
  }

  setCursor(k) {
    const { time, strain } = this.path;
    this.cursor = Math.min(time.length - 1, Math.max(0, k));
    this.cursorInput.value = this.cursor;
    const { stress, states: all } = this.simulation;
    this.values.textContent = `time ${number(time[this.cursor])} s, `
      + `${about.loading[0]} ${number(strain[this.cursor])}, `
      + `${about.response[0]} ${number(stress[this.cursor])} ${about.response[1]}, `
      + `tangent ${number(all[this.cursor].tangent)}`;
    this.draw();
  }

  save() {
    const { time, strain } = this.path;
    const { stress, states: all } = this.simulation;
    const names = states.flatMap(([name, , width]) =>
      Array.from({ length: width }, (_, k) => `${name}[${k}]`));
    const rows = Array.from(time, (_, k) =>
      [time[k], strain[k], stress[k], all[k].tangent, ...all[k].values].join(","));
    const heads = ["time [s]", label(about.loading), label(about.response), "tangent", ...names];
    saveFile("stress.csv", `${[heads.join(","), ...rows].join("\n")}\n`, "text/csv");
  }
}

function label([name, unit]) {
  return `${name} [${unit}]`;
}

globalThis.modelPage = new ModelPage(document.getElementById("main")); // for the console, and tests
