// Plots on a canvas: lines with axes, and heat maps. They follow the theme, the width of their
// parent and the resolution of the screen, and are drawn again when one of these changes.

import { make, number } from "./dom.js";

const FONT = "12px system-ui, sans-serif";
// Sequential palette: viridis at eight places (Smith and van der Walt 2015).
const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39",
  "#fde725"].map(channels);

/** Value of a CSS variable of the theme, such as colour("--ink"). */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Round numbers that divide a range in about `count` parts. */
export function ticks(low, high, count = 5) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= 0.6 * rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** Smallest and largest finite value of arrays, widened by a share on both sides. */
export function extent(arrays, widen = 0.05) {
  let low = Infinity;
  let high = -Infinity;
  for (const values of arrays) {
    for (const value of values) {
      if (value < low && value > -Infinity) low = value;
      if (value > high && value < Infinity) high = value;
    }
  }
  if (!(high >= low)) return [-1, 1];
  const margin = (high - low || Math.abs(high) || 1) * widen;
  return [low - margin, high + margin];
}

export class Plot {
  constructor(parent, { title, description, height }) {
    this.height = height;
    this.canvas = make("canvas", { role: "img", "aria-label": description ?? title });
    this.canvas.style.height = `${height}px`;
    this.title = title ? make("h3", {}, title) : null;
    this.element = make("div", {}, this.title, this.canvas);
    parent.append(this.element);
    this.context = this.canvas.getContext("2d");
    this.data = null;
    this.again = () => this.schedule();
    this.observer = new ResizeObserver(this.again);
    this.observer.observe(this.canvas);
    addEventListener("themechange", this.again);
  }

  /** Text for those who do not see the plot. */
  describe(text) {
    this.canvas.setAttribute("aria-label", text);
  }

  setTitle(text) {
    if (this.title.textContent !== text) this.title.textContent = text;
    this.describe(text);
  }

  /** Show new data with the screen's next frame. */
  draw(data) {
    this.data = data;
    this.schedule();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.data && this.canvas.clientWidth) this.paint();
    });
  }

  /** Size the canvas for the screen; returns its width in CSS pixels. */
  prepare() {
    const scale = devicePixelRatio || 1;
    const width = this.canvas.clientWidth;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(this.height * scale);
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.clearRect(0, 0, width, this.height);
    this.context.font = FONT;
    return width;
  }

  /** Stop following theme and size. */
  close() {
    this.observer.disconnect();
    removeEventListener("themechange", this.again);
  }
}

/**
 * Lines over axes: draw({ series, xRange, yRange, cursor, points }).
 *
 * A series is { x, y, color (a CSS variable), width, dash }; `cursor` an x value that a vertical
 * line marks; `points` [{ x, y, color }]. Ranges are those of the data unless given.
 */
export class LinePlot extends Plot {
  constructor(parent, { title, description, height = 260, x = "", y = "" }) {
    super(parent, { title, description, height });
    Object.assign(this, { xLabel: x, yLabel: y, box: null });
  }

  paint() {
    const width = this.prepare();
    const { context: g, height, data } = this;
    const xRange = data.xRange ?? extent(data.series.map((each) => each.x), 0);
    const yRange = data.yRange ?? extent(data.series.map((each) => each.y));
    const left = 60;
    this.box = { left, right: width - 16, top: 8, bottom: height - 38, xRange, yRange };
    this.axes();
    const { right, top, bottom } = this.box;
    g.save();
    g.beginPath();
    g.rect(left, top, right - left, bottom - top);
    g.clip();
    for (const each of data.series) this.line(each);
    if (data.cursor !== undefined && data.cursor !== null) {
      const at = this.toX(data.cursor);
      g.strokeStyle = colour("--quiet");
      g.lineWidth = 1;
      g.setLineDash([3, 3]);
      g.beginPath();
      g.moveTo(at, top);
      g.lineTo(at, bottom);
      g.stroke();
      g.setLineDash([]);
    }
    for (const point of data.points ?? []) {
      g.fillStyle = colour(point.color);
      g.beginPath();
      g.arc(this.toX(point.x), this.toY(point.y), 4.5, 0, 7);
      g.fill();
    }
    g.restore();
  }

  axes() {
    const { context: g, xLabel, yLabel, box } = this;
    const { left, right, top, bottom, xRange, yRange } = box;
    g.strokeStyle = colour("--rule");
    g.fillStyle = colour("--quiet");
    g.lineWidth = 1;
    g.beginPath();
    g.textAlign = "center";
    g.textBaseline = "top";
    for (const tick of ticks(...xRange, Math.max(2, Math.floor((right - left) / 80)))) {
      const at = Math.round(this.toX(tick)) + 0.5;
      g.moveTo(at, top);
      g.lineTo(at, bottom);
      g.fillText(number(tick, 4), at, bottom + 4);
    }
    g.textAlign = "right";
    g.textBaseline = "middle";
    for (const tick of ticks(...yRange, Math.max(2, Math.floor((bottom - top) / 45)))) {
      const at = Math.round(this.toY(tick)) + 0.5;
      g.moveTo(left, at);
      g.lineTo(right, at);
      g.fillText(number(tick, 4), left - 5, at);
    }
    g.stroke();
    g.textAlign = "center";
    g.textBaseline = "bottom";
    g.fillText(xLabel, (left + right) / 2, bottom + 36);
    g.save();
    g.translate(11, (top + bottom) / 2);
    g.rotate(-Math.PI / 2);
    g.textBaseline = "middle";
    g.fillText(yLabel, 0, 0);
    g.restore();
  }

  line({ x, y, color, width = 1.75, dash = [] }) {
    const { context: g } = this;
    g.strokeStyle = colour(color);
    g.lineWidth = width;
    g.lineJoin = "round";
    g.setLineDash(dash);
    g.beginPath();
    let down = false;
    for (let k = 0; k < y.length; k++) {
      if (!Number.isFinite(y[k])) { down = false; continue; }
      if (down) g.lineTo(this.toX(x[k]), this.toY(y[k]));
      else g.moveTo(this.toX(x[k]), this.toY(y[k]));
      down = true;
    }
    g.stroke();
    g.setLineDash([]);
  }

  toX(value) {
    const { left, right, xRange } = this.box;
    return left + ((value - xRange[0]) / (xRange[1] - xRange[0])) * (right - left);
  }

  toY(value) {
    const { top, bottom, yRange } = this.box;
    return bottom - ((value - yRange[0]) / (yRange[1] - yRange[0])) * (bottom - top);
  }

  /** Data coordinates of a pointer event. */
  at(event) {
    const place = this.canvas.getBoundingClientRect();
    const { left, right, top, bottom, xRange, yRange } = this.box;
    const across = (event.clientX - place.left - left) / (right - left);
    const up = (bottom - event.clientY + place.top) / (bottom - top);
    return {
      x: xRange[0] + across * (xRange[1] - xRange[0]),
      y: yRange[0] + up * (yRange[1] - yRange[0]),
    };
  }
}

/**
 * A heat map: draw({ rows, range, cursor, palette, labels }).
 *
 * `rows` are arrays of one length, first at the top, columns to the right; `range` [low, high];
 * `palette` "diverging" (low cold, middle the theme's ground, high hot) or "sequential" (viridis);
 * `cursor` a column; `labels` [{ row, text }] at the left.
 */
export class HeatMap extends Plot {
  constructor(parent, { title, description, height = 140, left = 60 }) {
    super(parent, { title, description, height });
    this.left = left;
  }

  paint() {
    const width = this.prepare();
    const { context: g, height, left, data } = this;
    const { rows, range, palette = "diverging", labels = [], cursor } = data;
    const columns = rows[0]?.length ?? 0;
    const [right, top, bottom] = [width - 16, 4, height - 4];
    this.box = { left, right, top, bottom, columns };
    if (!columns) return;
    const picture = new ImageData(columns, rows.length);
    const pixels = new Uint32Array(picture.data.buffer);
    const table = colourTable(palette);
    const scale = (table.length - 1) / (range[1] - range[0]);
    rows.forEach((values, row) => {
      for (let k = 0; k < columns; k++) {
        if (Number.isNaN(values[k])) continue; // stays transparent
        const place = Math.round((values[k] - range[0]) * scale);
        pixels[row * columns + k] = table[Math.min(table.length - 1, Math.max(0, place))];
      }
    });
    this.store ??= document.createElement("canvas");
    this.store.width = columns;
    this.store.height = rows.length;
    this.store.getContext("2d").putImageData(picture, 0, 0);
    g.imageSmoothingEnabled = false;
    g.drawImage(this.store, left, top, right - left, bottom - top);
    g.fillStyle = colour("--quiet");
    g.textAlign = "right";
    g.textBaseline = "middle";
    for (const { row, text } of labels) {
      g.fillText(text, left - 5, top + ((row + 0.5) / rows.length) * (bottom - top));
    }
    if (cursor !== undefined && cursor !== null) {
      const at = left + ((cursor + 0.5) / columns) * (right - left);
      g.strokeStyle = colour("--ink");
      g.lineWidth = 1.5;
      g.strokeRect(at - 1.5, top, 3, bottom - top);
    }
  }

  /** Column under a pointer event. */
  column(event) {
    const place = this.canvas.getBoundingClientRect();
    const { left, right, columns } = this.box;
    const share = (event.clientX - place.left - left) / (right - left);
    return Math.min(columns - 1, Math.max(0, Math.floor(share * columns)));
  }
}

function channels(hex) {
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

function blend(one, other, share) {
  return one.map((value, k) => value + (other[k] - value) * share);
}

/** Colour of a share from 0 to 1 in viridis, [red, green, blue]. */
export function viridis(share) {
  const place = share * (VIRIDIS.length - 1);
  const k = Math.min(VIRIDIS.length - 2, Math.floor(place));
  return blend(VIRIDIS[k], VIRIDIS[k + 1], place - k);
}

/** 256 colours from low to high, as the pixels of ImageData on a little-endian machine. */
function colourTable(palette) {
  const mix = palette === "sequential" ? viridis : diverging();
  return Uint32Array.from({ length: 256 }, (_, k) => {
    const [red, green, blue] = mix(k / 255).map(Math.round);
    return (255 << 24) | (blue << 16) | (green << 8) | red;
  });
}

function diverging() {
  const [cold, middle, hot] = ["--cold", "--low", "--hot"].map((name) => channels(colour(name)));
  return (share) => share < 0.5
    ? blend(cold, middle, 2 * share) : blend(middle, hot, 2 * share - 1);
}
