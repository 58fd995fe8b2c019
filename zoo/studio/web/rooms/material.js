// The material room: a loading path, what each model answers to it, and what goes on inside.

import { logSlider, make, number } from "../dom.js";
import { saveFile } from "../files.js";
import { isHysteretic } from "../models.js";
import { firstDifference, halved, steps } from "../path.js";
import { PathPad } from "../pathpad.js";
import { LinePlot } from "../plot.js";
import { lawSimulation, relativeError, rms, selfConsistency } from "../simulation.js";
import { StateMaps } from "../statemaps.js";
import { modelSimulation } from "../stepmodel.js";

const LAW = "exact law";
const FIRST_SHOWN = [LAW, "hysteresis-lstm", "material-relaxation", "material-maxwell"];
const MAX_STEPS = 10000;
const FRAME_MS = [14, 100]; // of computing in a frame: more where drawing takes long anyway
const SETTLE_MS = 350; // without a change, before the self-consistency is computed
const COLOURS = 8;

/** Open the room. */
export async function open(element, context) {
  const room = new MaterialRoom(element, context);
  await room.chooseMaterial(0);
  return () => room.close();
}

/** Models of one material each: they can be compared. */
function materialsOf(models) {
  const groups = new Map();
  for (const model of models.filter(({ manifest }) => isHysteretic(manifest))) {
    const { material } = model.manifest;
    const isSimulated = Object.keys(material ?? {}).length > 0;
    const key = isSimulated ? JSON.stringify(material) : model.name;
    if (!groups.has(key)) {
      groups.set(key, {
        title: isSimulated ? "Power-law Maxwell solid, simulated"
          : `${model.name}: ${model.manifest.data_licence}`.replace(/, [^,]*$/, ""),
        law: isSimulated ? material : null, models: [],
      });
    }
    groups.get(key).models.push(model);
  }
  return [...groups.values()].map((group) => ({ ...group, ...limitsOf(group) }));
}

/** Name and unit of what loads the material, and of what it answers. */
function labelsOf({ signatures: { step } }) {
  const [{ name, unit }] = step.inputs.x.features ?? [{ name: "strain", unit: "-" }];
  const { meaning, unit: answerUnit } = step.outputs.prediction;
  return [[name, unit], [meaning.split(" at ")[0], answerUnit]];
}

/** Amplitude, duration and time step that suit what the models were trained on. */
function limitsOf({ law, models }) {
  if (law) return { amplitude: 1, largest: 2, duration: 10, dt: 0.05, side: 0 };
  const { amplitude, rates, dt_s, strain } = models[0].manifest.trained_range;
  const rate = Math.sqrt(rates[0] * rates[1]);
  const side = Math.sign(strain?.find((end, k) => strain[1 - k] === 0) ?? 0);
  const duration = Number((((side ? 4 : 8) * amplitude * 0.75) / rate).toPrecision(1));
  const dt = Math.min(dt_s[1], Math.max(Math.sqrt(dt_s[0] * dt_s[1]), duration / 400));
  return { amplitude: Number((0.75 * amplitude).toPrecision(2)), largest: 1.1 * amplitude, duration,
    dt, side };
}

class MaterialRoom {
  constructor(element, context) {
    Object.assign(this, { context, materials: materialsOf(context.models), cursor: null });
    this.tracks = [];
    this.path = { dt: 0, time: [], strain: [], rate: [] };
    const choice = make("select", {
      onchange: (event) => this.chooseMaterial(Number(event.target.value)),
    }, ...this.materials.map(({ title }, k) => make("option", { value: k }, title)));
    element.append(
      make("h1", {}, "Material"),
      make("p", {}, "Draw how a material is stretched over time and see the stress that each model "
        + "answers. Make the time step small: the plain LSTM loses its way, a cell that is built "
        + "on a law does not."),
      make("label", { class: "row" }, "Material ", choice));
    this.buildLoading(element);
  }

  buildLoading(element) {
    const loading = make("section", { class: "panel drop", "aria-label": "Loading" });
    const [loop, history, answers] = ["Loop", "History", "Models"].map((name) =>
      make("section", { class: "panel", "aria-label": name }));
    element.append(make("div", { class: "grid two" }, loading, loop, history, answers));
    this.buildPlots(element, loop, history);
    loading.append(make("h2", {}, "Loading"));
    this.pad = new PathPad(loading, {
      limits: { amplitude: 1, largest: 2, duration: 10, side: 0 },
      onchange: () => this.pad && this.changed(),
    });
    this.amplitude = logSlider("Amplitude", {
      low: 0.01, high: 5, value: 1, unit: "",
      onchange: (amplitude) => this.pad.setLimits({
        amplitude, largest: Math.max(amplitude, this.material.largest) }),
    });
    this.duration = logSlider("Duration", {
      low: 1, high: 1000, value: 10, unit: "s",
      onchange: (duration) => this.pad.setLimits({ duration }),
    });
    this.dt = logSlider("Time step", {
      low: 0.0005, high: 1, value: 0.05, unit: "s", onchange: () => this.changed(),
    });
    this.note = make("p", { class: "small quiet", role: "status" });
    loading.append(this.amplitude.element, this.duration.element, this.dt.element, this.note);
    this.table = make("tbody");
    const heads = ["Model", "Error", "Self-consistency"];
    answers.append(make("h2", {}, "Models"), make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)))),
      this.table)),
    make("p", { class: "small quiet" }, "Error: RMS difference from the exact law over its RMS. "
      + "Self-consistency: the same for the model against itself with every time step cut in two; "
      + "a material's answer does not depend on how finely its path is cut."),
    make("div", { class: "row" }, make("button", { type: "button", onclick: () => this.save() },
      "Save as CSV")));
  }

  buildPlots(element, left, right) {
    left.append(make("h2", {}, "Loop"));
    this.loop = new LinePlot(left, {
      description: "Stress over strain", x: "strain [-]", y: "stress [MPa]", height: 360,
    });
    this.legend = make("ul", { class: "legend small" });
    left.append(this.legend);
    right.append(make("h2", {}, "History"));
    this.history = new LinePlot(right, {
      description: "Stress over time", x: "time [s]", y: "stress [MPa]", height: 300,
    });
    this.cursorInput = make("input", {
      type: "range", min: 0, max: 1, value: 0, "aria-label": "Cursor: time step",
      oninput: (event) => this.setCursor(Number(event.target.value)),
    });
    this.values = make("p", { class: "small", "aria-live": "off" });
    right.append(this.cursorInput, this.values);
    this.history.canvas.addEventListener("pointermove", (event) => {
      if (!this.history.box || !this.path.dt) return;
      const k = Math.round(this.history.at(event).x / this.path.dt) - 1;
      this.setCursor(Math.min(this.path.time.length - 1, Math.max(0, k)));
    });
    const inside = make("section", { class: "panel", "aria-label": "Inside a model" });
    element.append(inside);
    this.maps = new StateMaps(inside, {
      onchoose: () => this.schedule(), oncursor: (k) => this.setCursor(k),
    });
  }

  async chooseMaterial(index) {
    const material = this.materials[index];
    this.material = material;
    this.labels = labelsOf(material.models[0].manifest);
    this.showLabels();
    this.stop();
    const tracks = material.models.map(({ name, manifest }) => trackOf(name, manifest, async () => {
      const model = await this.context.openModel(name);
      return (keeps) => modelSimulation(model, keeps);
    }));
    if (material.law) tracks.unshift(trackOf(LAW, {}, () => () => lawSimulation(material.law)));
    tracks.forEach((track, k) => {
      track.color = `--c${(material.law ? k : k + 1) % COLOURS}`;
      track.chosen = !material.law || FIRST_SHOWN.includes(track.name);
    });
    await Promise.all(tracks.filter(({ chosen }) => chosen).map((track) => track.open()));
    if (this.material !== material || this.closed) return;
    this.tracks = tracks;
    this.showTable();
    const withStates = this.tracks.filter((track) => track.name !== LAW);
    this.maps.setModels(withStates);
    const { amplitude, largest, duration, dt, side } = material;
    this.amplitude.set(amplitude, { low: largest / 200, high: 2.5 * largest });
    this.duration.set(duration, { low: duration / 10, high: duration * 100 });
    this.dt.set(dt, { low: dt / 100, high: dt * 20 });
    this.pad.setLimits({ amplitude, largest, duration, side });
  }

  /** Axes, with the quantities of the material. */
  showLabels() {
    const [loading, response] = this.labels.map(([name, unit]) => `${name} [${unit}]`);
    this.pad.plot.yLabel = this.loop.xLabel = loading;
    for (const plot of [this.loop, this.history]) plot.yLabel = response;
  }

  showTable() {
    this.table.replaceChildren(...this.tracks.map((track) => {
      const box = make("input", {
        type: "checkbox", onchange: async (event) => {
          track.chosen = event.target.checked;
          await track.open();
          this.changed();
        },
      });
      box.checked = track.chosen;
      const swatch = swatchOf(track);
      track.error = make("td", { class: "number" });
      track.consistency = make("td", { class: "number" });
      track.outside = make("span", { class: "small warn" });
      return make("tr", {}, make("th", { scope: "row" }, make("label", { class: "choice" },
        box, swatch, track.name), track.outside), track.error, track.consistency);
    }));
  }

  get shown() {
    return this.tracks.filter(({ chosen, simulation }) => chosen && simulation);
  }

  /** The path or the time step is another: go on from the first step that differs. */
  changed() {
    if (!this.tracks.length) return;
    const { path } = this.pad;
    const duration = path.time.at(-1);
    if (!(duration > 0)) return;
    const dt = Math.max(this.dt.value, duration / MAX_STEPS);
    const next = steps(path, dt);
    const same = firstDifference(this.path, next);
    this.path = next;
    for (const track of this.tracks) {
      track.same = Math.min(track.same ?? 0, same);
      track.fine = null;
    }
    this.legend.replaceChildren(...this.shown.map((track) =>
      make("li", {}, swatchOf(track), track.name)));
    for (const track of this.shown) {
      track.simulation.restart(next, track.same);
      track.same = Infinity;
      track.outside.textContent = outsideOf(track.manifest.trained_range, next);
      track.consistency.textContent = "…";
    }
    this.note.textContent = `${next.time.length} steps of ${number(dt)} s`
      + (dt > this.dt.value ? ` (at most ${MAX_STEPS} steps)` : "");
    this.cursorInput.max = next.time.length - 1;
    this.cursor = this.cursor === null ? null : Math.min(this.cursor, next.time.length - 1);
    this.changedAt = performance.now();
    this.schedule();
  }

  schedule() {
    if (!this.closed) this.frame ??= requestAnimationFrame(() => this.tick());
  }

  stop() {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = null;
    clearTimeout(this.waiting);
  }

  /** Compute for a while, show what is there, and go on with the next frame. */
  tick() {
    this.frame = null;
    const now = performance.now();
    const [least, most] = FRAME_MS;
    const end = now + Math.min(most, Math.max(least, (now - this.tickedAt) / 2 || 0));
    this.tickedAt = now;
    const coarse = this.shown.map((track) => track.simulation);
    advance(coarse, end);
    const settled = performance.now() - this.changedAt > SETTLE_MS;
    if (coarse.every((each) => each.isDone) && settled) advance(this.fine(), end);
    const done = coarse.every((each) => each.isDone);
    this.draw(done);
    if (!done || this.shown.some((track) => track.fine && !track.fine.isDone)) this.schedule();
    else if (!settled) this.waiting = setTimeout(() => this.schedule(), SETTLE_MS);
  }

  fine() {
    const path = halved(this.path);
    return this.shown.map((track) => {
      if (!track.fine) {
        track.fine = track.makeFine();
        track.fine.restart(path, 0);
      }
      return track.fine;
    });
  }

  draw(done) {
    const { path, cursor, shown } = this;
    const time = path.time;
    const lines = shown.map(({ color, simulation, name }) => ({
      color, y: simulation.stress, width: name === LAW ? 3.5 : 1.75 }));
    const at = cursor === null ? [] : shown.map(({ color, simulation }) => ({
      color, x: path.strain[cursor], y: simulation.stress[cursor] }));
    this.loop.draw({ series: lines.map((line) => ({ ...line, x: path.strain })), points: at });
    this.history.draw({
      series: lines.map((line) => ({ ...line, x: time })), xRange: [0, time.at(-1) ?? 1],
      points: at.map((point) => ({ ...point, x: time[cursor] })),
      cursor: cursor === null ? null : time[cursor],
    });
    this.pad.draw(cursor === null ? null : time[cursor]);
    const now = performance.now();
    if (done || !(now - this.mapsAt < 150)) {
      this.maps.draw(cursor);
      this.mapsAt = now;
    }
    if (done) this.showNumbers();
  }

  showNumbers() {
    const law = this.tracks.find(({ name }) => name === LAW)?.simulation;
    const reference = law?.isDone && law.path === this.path ? law.stress : null;
    for (const { name, simulation, fine, error, consistency } of this.shown) {
      error.textContent = reference && name !== LAW
        ? percent(relativeError(simulation.stress, reference)) : "–";
      if (fine?.isDone) {
        const size = rms(reference ?? simulation.stress);
        consistency.textContent = percent(selfConsistency(simulation.stress, fine.stress, size));
      }
    }
    const texts = this.shown.map(({ name, error }) =>
      name === LAW ? name : `${name} (error ${error.textContent})`);
    this.history.describe(`Stress over time: ${texts.join(", ")}.`);
    this.loop.describe(`Stress over strain: ${texts.join(", ")}.`);
  }

  setCursor(k) {
    this.cursor = k;
    this.cursorInput.value = k;
    const { time, strain } = this.path;
    const [[loading], [, unit]] = this.labels;
    const text = [`time ${number(time[k])} s`, `${loading} ${number(strain[k])}`,
      ...this.shown.map(({ name, simulation }) => `${name} ${number(simulation.stress[k])} ${unit}`)];
    this.values.textContent = text.join(", ");
    this.cursorInput.setAttribute("aria-valuetext", text.slice(0, 2).join(", "));
    this.schedule();
  }

  /** Time, strain and the stress of every model shown, as CSV. */
  save() {
    const { time, strain } = this.path;
    const [[loading, unit], [, answerUnit]] = this.labels;
    const heads = ["time [s]", `${loading} [${unit}]`,
      ...this.shown.map(({ name }) => `${name} [${answerUnit}]`)];
    const rows = Array.from(time, (_, k) => [
      time[k], strain[k], ...this.shown.map(({ simulation }) => simulation.stress[k])]);
    const text = [heads, ...rows].map((row) => row.join(",")).join("\n");
    saveFile("stress.csv", `${text}\n`, "text/csv");
  }

  close() {
    this.closed = true;
    this.stop();
    for (const each of [this.pad, this.loop, this.history, this.maps]) each.close();
  }
}

/** A model of the table; `open()` before its first step. `start()` gives a maker of simulations. */
function trackOf(name, manifest, start) {
  const track = { name, manifest, simulation: null, fine: null };
  track.open = async () => {
    if (track.simulation) return;
    const simulate = await start();
    track.makeFine = () => simulate(false);
    track.simulation ??= simulate(true);
  };
  return track;
}

function swatchOf({ color }) {
  const swatch = make("span", { class: "swatch" });
  swatch.style.background = `var(${color})`;
  return swatch;
}

/** Steps of simulations in turn until all are done or the time is over. */
function advance(simulations, end) {
  let open_ = simulations.filter((each) => !each.isDone);
  while (open_.length && performance.now() < end) {
    for (const each of open_) for (let k = 0; k < 4 && !each.isDone; k++) each.step();
    open_ = open_.filter((each) => !each.isDone);
  }
}

function percent(share) {
  return share < 1e-5 ? "< 0.001 %" : `${number(100 * share, 2)} %`;
}

/** In which respect a path leaves what a model was trained on. */
function outsideOf(range, { dt, strain, rate }) {
  if (!range) return "";
  const fastest = rate.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const [low, high] = range.strain ?? [-range.amplitude, range.amplitude];
  // a range that ends at 0 leaves room for offset and noise on the other side
  const least = Math.min(1.001 * low, -0.05 * high);
  const most = Math.max(1.001 * high, -0.05 * low);
  const found = [
    [dt < range.dt_s[0] * 0.999, "time step shorter"], [dt > range.dt_s[1] * 1.001, "time step longer"],
    [strain.some((value) => value > most), "strain higher"],
    [strain.some((value) => value < least), "strain lower"],
    [fastest > range.rates[1] * 1.001, "rate higher"],
  ].filter(([is]) => is).map(([, text]) => text);
  return found.length ? `${found.join(", ")} than trained` : "";
}
