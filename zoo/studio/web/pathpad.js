// A pad to draw a loading path on, by pointer or keyboard, with shapes to choose and CSV to drop.

import { make } from "./dom.js";
import { readCsv, SHAPES } from "./path.js";
import { extent, LinePlot } from "./plot.js";

const MAX_CSV_BYTES = 16e6;

/**
 * The pad; `onchange()` is called when `path` changes, several times while one is drawn.
 *
 * `limits` { amplitude, largest, duration, side } can be set at any time by `setLimits`.
 */
export class PathPad {
  constructor(parent, { limits, onchange, title = "strain [-]" }) {
    Object.assign(this, { limits, onchange, shape: "triangle" });
    this.status = make("p", { class: "small quiet", role: "status" });
    this.buttons = Object.keys(SHAPES).map((name) =>
      make("button", { type: "button", onclick: () => this.choose(name) }, capital(name)));
    this.drawButton = make("button", { type: "button", onclick: () => this.clear() }, "Draw");
    const file = make("input", {
      type: "file", accept: ".csv,.txt,text/csv", class: "hidden",
      onchange: (event) => this.readFile(event.target.files[0]),
    });
    const label = make("label", { class: "file" }, "CSV file …", file);
    parent.append(make("div", { class: "row", role: "group", "aria-label": "Loading path" },
      ...this.buttons, this.drawButton, label));
    this.plot = new LinePlot(parent, {
      description: "Loading path, strain over time", x: "time [s]", y: title, height: 220,
    });
    parent.append(this.status);
    this.listen(parent);
    this.choose("triangle");
  }

  setLimits(limits) {
    this.limits = { ...this.limits, ...limits };
    if (this.shape in SHAPES) this.choose(this.shape);
    else this.changed();
  }

  choose(name) {
    const { amplitude, duration, side } = this.limits;
    this.shape = name;
    this.path = SHAPES[name](amplitude, duration, side);
    this.say("Draw on the plot, or focus it and use the arrow keys; a CSV file can be dropped on it.");
    this.changed();
  }

  /** Begin a path of one's own. */
  clear() {
    this.shape = "drawn";
    this.path = { time: [0], strain: [0] };
    this.say("Draw from left to right: going back erases. Arrow keys: up and down load, right holds, "
      + "Backspace erases.");
    this.changed();
  }

  say(text) {
    this.status.textContent = text;
  }

  changed() {
    const drawing = this.shape === "drawn";
    this.buttons.forEach((button, k) =>
      button.setAttribute("aria-pressed", String(Object.keys(SHAPES)[k] === this.shape)));
    this.drawButton.setAttribute("aria-pressed", String(drawing));
    this.draw();
    this.onchange?.();
  }

  /** Show the path, with a cursor at a time. */
  draw(cursor = null) {
    const { largest, side, duration } = this.limits;
    const end = Math.max(duration, this.path.time.at(-1));
    const [low, high] = extent([this.path.strain], 0);
    const top = Math.max(largest, -low, high);
    const range = [-top, top];
    if (side > 0 && low >= 0) range[0] = -0.05 * top;
    if (side < 0 && high <= 0) range[1] = 0.05 * top;
    this.plot.draw({
      series: [{ x: this.path.time, y: this.path.strain, color: "--accent", width: 2 }],
      xRange: [0, end], yRange: range, cursor,
    });
    this.plot.describe(`Loading path, strain over time: ${this.shape}, `
      + `${this.path.time.length} knots over ${Number(this.path.time.at(-1).toPrecision(3))} s. `
      + "Arrow keys draw: up and down load, right holds, Backspace erases.");
  }

  listen(parent) {
    const { canvas } = this.plot;
    canvas.classList.add("drawing");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      if (this.shape !== "drawn") this.clear();
      this.addKnot(this.plot.at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) this.addKnot(this.plot.at(each));
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    parent.addEventListener("dragover", (event) => {
      event.preventDefault();
      parent.classList.add("over");
    });
    parent.addEventListener("dragleave", () => parent.classList.remove("over"));
    parent.addEventListener("drop", (event) => {
      event.preventDefault();
      parent.classList.remove("over");
      this.readFile(event.dataTransfer.files[0]);
    });
  }

  /** Go on to a place; one further left erases what was behind it. */
  addKnot({ x, y }) {
    const { duration, largest, side } = this.limits;
    const at = Math.min(duration, Math.max(0, x));
    const strain = Math.min(side < 0 ? 0 : largest, Math.max(side > 0 ? 0 : -largest, y));
    const { time, strain: strains } = this.path;
    while (time.length > 1 && time.at(-1) >= at) {
      time.pop();
      strains.pop();
    }
    if (at <= 0) return;
    time.push(at);
    strains.push(strain);
    this.changed();
  }

  key(event) {
    const ways = { ArrowUp: 1, ArrowDown: -1, ArrowRight: 0, Backspace: null };
    if (!(event.key in ways)) return;
    event.preventDefault();
    if (this.shape !== "drawn") this.clear();
    const { duration, largest } = this.limits;
    if (event.key === "Backspace") {
      if (this.path.time.length > 1) {
        this.path.time.pop();
        this.path.strain.pop();
        this.changed();
      }
      return;
    }
    this.addKnot({
      x: this.path.time.at(-1) + duration / 50,
      y: this.path.strain.at(-1) + (ways[event.key] * largest) / 10,
    });
  }

  async readFile(file) {
    if (!file) return;
    try {
      if (file.size > MAX_CSV_BYTES) throw new Error("Expected a file of at most 16 MB.");
      const { path, note } = readCsv(await file.text());
      this.shape = file.name;
      this.path = path;
      this.say(`${file.name}: ${note}`);
      this.changed();
    } catch (error) {
      this.say(`${file.name}: not read. ${error.message}`);
    }
  }

  close() {
    this.plot.close();
  }
}

function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}
