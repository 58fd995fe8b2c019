// What a model remembers, as heat maps over time: hidden and cell states, gates, state variables.

import { make } from "./dom.js";
import { HeatMap } from "./plot.js";

const MAX_COLUMNS = 500;

/** Heat maps of one of several simulations; `onchoose()` when another is chosen. */
export class StateMaps {
  constructor(parent, { onchoose, oncursor }) {
    Object.assign(this, { onchoose, oncursor, maps: [], model: null, layer: null });
    this.models = make("select", { onchange: (event) => this.choose(event.target.value) });
    this.modelLabel = make("label", { class: "row" }, "Model ", this.models);
    this.layers = make("select", { onchange: (event) => this.chooseLayer(event.target.value) });
    this.layerLabel = make("label", { class: "row" }, "Layer ", this.layers);
    this.body = make("div", { class: "grid" });
    parent.append(make("h2", {}, "Inside"),
      make("div", { class: "row" }, this.modelLabel, this.layerLabel),
      make("p", { class: "small quiet" }, "A row a unit, time to the right; states from blue "
        + "(negative) to red (positive), gates from dark (0, closed) to bright (1, open)."),
      this.body);
  }

  /** Tracks { name, simulation } to choose from. */
  setModels(tracks) {
    this.tracks = tracks;
    this.models.replaceChildren(...tracks.map(({ name }) => make("option", {}, name)));
    this.modelLabel.hidden = tracks.length < 2;
    const first = tracks.find(({ name }) => name === "hysteresis-lstm") ?? tracks[0];
    this.models.value = first.name;
    this.choose(first.name);
  }

  choose(name) {
    this.model = this.tracks.find((track) => track.name === name);
    this.layer = null;
    this.names = null;
    this.onchoose();
  }

  chooseLayer(layer) {
    this.layer = layer;
    this.names = null;
    this.onchoose();
  }

  /** Maps for the outputs of the model; known once it has made a step. */
  build() {
    const all = Object.keys(this.model.simulation.outputs[0]);
    const layers = [...new Set(all.map(layerOf))].sort();
    this.layer ??= layers[0];
    this.layers.replaceChildren(...layers.map((each) => make("option", {}, each)));
    this.layers.value = this.layer;
    this.layerLabel.hidden = layers.length < 2;
    this.names = all.filter((name) => layerOf(name) === this.layer).sort(
      (one, other) => rank(one) - rank(other));
    for (const map of this.maps) map.close();
    this.body.replaceChildren();
    this.maps = this.names.map((name) => {
      const map = new HeatMap(this.body, { title: titleOf(name), height: 110, left: 30 });
      map.canvas.addEventListener("pointermove", (event) => {
        if (map.box?.columns) this.oncursor(map.column(event) * this.every);
      });
      return map;
    });
  }

  /** Show all steps so far, with a cursor at one of them. */
  draw(cursor) {
    const { simulation } = this.model ?? {};
    if (!simulation?.outputs.length) {
      this.body.replaceChildren(make("p", { class: "quiet" }, "Tick the model above to see inside it."));
      this.names = null;
      return;
    }
    if (!this.names) this.build();
    const { outputs } = simulation;
    const total = simulation.path.time.length;
    this.every = Math.max(1, Math.ceil(total / MAX_COLUMNS));
    const columns = Math.ceil(total / this.every);
    this.names.forEach((name, m) => this.drawMap(this.maps[m], name, outputs, columns, cursor));
  }

  drawMap(map, name, outputs, columns, cursor) {
    const width = outputs[0][name].length;
    const rows = Array.from({ length: width }, () => new Float32Array(columns).fill(NaN));
    let largest = 1e-12;
    for (let k = 0; k * this.every < outputs.length; k++) {
      const values = outputs[k * this.every][name];
      for (let row = 0; row < width; row++) {
        rows[row][k] = values[row];
        largest = Math.max(largest, Math.abs(values[row]));
      }
    }
    const isGate = /_gate_/.test(name);
    const bound = /hidden|candidate/.test(name) ? 1 : largest;
    map.draw({
      rows, range: isGate ? [0, 1] : [-bound, bound], palette: isGate ? "sequential" : "diverging",
      labels: width > 1 ? [{ row: 0, text: "0" }, { row: width - 1, text: String(width - 1) }] : [],
      cursor: cursor === null ? null : Math.floor(cursor / this.every),
    });
    const scale = isGate ? "0 to 1" : `±${Number(bound.toPrecision(2))}`;
    map.setTitle(`${titleOf(name)} (${scale})`);
  }

  close() {
    for (const map of this.maps) map.close();
  }
}

function layerOf(name) {
  return /_(\d+)(_next)?$/.exec(name)?.[1] ?? "0";
}

function titleOf(name) {
  const text = name.replace(/(_\d+)?(_next)?$/, "").replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

/** States first, then gates. */
function rank(name) {
  return /gate|candidate/.test(name) ? 1 : 0;
}
