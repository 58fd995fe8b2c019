// Pictures of a recording over time: waveform, spectrogram, probabilities and program on one axis;
// and the evidence of an explanation.

import { Plot, colour, ticks, viridis } from "../plot.js";
import { BINS } from "./session.js";

const TOP = 6;
const WAVE = 56; // heights [CSS pixels]
const SPECTROGRAM = 150;
const ROW = 17;
const PROGRAM = 30;
const GAP = 10;
const AXIS = 38;
const RIGHT = 10;
const PALETTE = new Uint32Array(256);
PALETTE.forEach((_, k) => {
  const [red, green, blue] = viridis(k / 255);
  PALETTE[k] = (255 << 24) | (blue << 16) | (green << 8) | red;
});

/** Colour of a class, a variable of the theme. */
export function classColour(number) {
  return `--c${1 + (number % 7)}`;
}

/** A class as people read it. */
export function spoken(name) {
  return name.replaceAll("_", " ");
}

/**
 * draw({ session, programs, fromS, toS, cursorS }): `programs` one name (or null) for each hop.
 * `onseek(timeS)` is called where the picture is clicked.
 */
export class Timeline extends Plot {
  constructor(parent, { classes, onseek }) {
    const height = TOP + WAVE + GAP + SPECTROGRAM + GAP + ROW * classes.length + GAP + PROGRAM + AXIS;
    super(parent, { description: "Waveform, spectrogram, probabilities and program over time",
      height });
    this.classes = classes;
    this.store = document.createElement("canvas");
    const seek = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const { left, right, fromS, toS } = this.box ?? {};
      if (left === undefined) return;
      const share = (event.clientX - this.canvas.getBoundingClientRect().left - left) / (right - left);
      onseek(fromS + Math.min(1, Math.max(0, share)) * (toS - fromS));
    };
    this.canvas.addEventListener("pointerdown", seek);
    this.canvas.addEventListener("pointermove", seek);
  }

  paint() {
    const width = this.prepare();
    const { session, fromS, toS, cursorS } = this.data;
    const left = width < 520 ? 102 : 118;
    this.box = { left, right: width - RIGHT, fromS, toS };
    const first = Math.max(0, Math.floor(fromS / session.hopS));
    const last = Math.min(session.hops.length, Math.ceil(toS / session.hopS));
    let y = TOP;
    this.wave(y, first, last);
    y += WAVE + GAP;
    this.spectrogram(y, first, last);
    y += SPECTROGRAM + GAP;
    this.probabilities(y, first, last);
    y += ROW * this.classes.length + GAP;
    this.programs(y, first, last);
    y += PROGRAM;
    this.times(y);
    if (cursorS !== null && cursorS >= fromS && cursorS <= toS) {
      const { context: g } = this;
      g.fillStyle = colour("--hot");
      g.fillRect(this.toX(cursorS) - 1, TOP, 2, y - TOP);
    }
  }

  toX(timeS) {
    const { left, right, fromS, toS } = this.box;
    return left + ((timeS - fromS) / (toS - fromS)) * (right - left);
  }

  label(text, y) {
    const { context: g, box } = this;
    g.fillStyle = colour("--quiet");
    g.textAlign = "right";
    g.textBaseline = "middle";
    g.fillText(text, box.left - 6, y);
  }

  wave(y, first, last) {
    const { context: g, data: { session }, box } = this;
    const middle = y + WAVE / 2;
    this.label("waveform", middle);
    g.fillStyle = colour("--rule");
    g.fillRect(box.left, middle, box.right - box.left, 1);
    g.fillStyle = colour("--c1");
    const width = this.toX(session.hopS) - this.toX(0);
    for (let k = first; k < last; k++) {
      const [low, high] = session.peaks[k];
      const top = middle - (high / session.loudest) * (WAVE / 2);
      const bottom = middle - (low / session.loudest) * (WAVE / 2);
      g.fillRect(this.toX(k * session.hopS), top, Math.max(1, width), Math.max(1, bottom - top));
    }
  }

  spectrogram(y, first, last) {
    const { context: g, data: { session }, box } = this;
    const count = last - first;
    const highest = session.classifier.modelRateHz / 2;
    for (const hz of ticks(0, highest, 4)) {
      this.label(hz ? `${hz / 1000} kHz` : "0 Hz", y + (1 - hz / highest) * (SPECTROGRAM - 12) + 6);
    }
    g.fillStyle = colour("--band");
    g.fillRect(box.left, y, box.right - box.left, SPECTROGRAM);
    if (count < 1) return;
    const picture = new ImageData(count, BINS);
    const pixels = new Uint32Array(picture.data.buffer);
    for (let k = 0; k < count; k++) {
      const column = session.columns[first + k];
      for (let bin = 0; bin < BINS; bin++) pixels[(BINS - 1 - bin) * count + k] = PALETTE[column[bin]];
    }
    this.stamp(picture, y, SPECTROGRAM, first, last);
  }

  probabilities(y, first, last) {
    const { context: g, classes, data: { session }, box } = this;
    const count = last - first;
    classes.forEach((name, row) => this.label(spoken(name), y + (row + 0.5) * ROW));
    g.fillStyle = colour("--band");
    g.fillRect(box.left, y, box.right - box.left, ROW * classes.length);
    if (count < 1) return;
    const picture = new ImageData(count, classes.length);
    const pixels = new Uint32Array(picture.data.buffer);
    for (let k = 0; k < count; k++) {
      const { probabilities } = session.hops[first + k];
      if (!probabilities) continue; // left transparent: not classified
      probabilities.forEach((value, row) => {
        pixels[row * count + k] = PALETTE[Math.round(255 * value)];
      });
    }
    this.stamp(picture, y, ROW * classes.length, first, last);
  }

  stamp(picture, y, height, first, last) {
    const { context: g, store, data: { session } } = this;
    store.width = picture.width;
    store.height = picture.height;
    store.getContext("2d").putImageData(picture, 0, 0);
    g.imageSmoothingEnabled = false;
    const [start, end] = [this.toX(first * session.hopS), this.toX(last * session.hopS)];
    g.save();
    g.beginPath();
    g.rect(this.box.left, y, this.box.right - this.box.left, height);
    g.clip();
    g.drawImage(store, start, y, end - start, height);
    g.restore();
  }

  programs(y, first, last) {
    const { context: g, classes, data: { session, programs }, box } = this;
    this.label("program", y + PROGRAM / 2);
    let start = first;
    for (let k = first + 1; k <= last; k++) {
      if (k < last && programs[k] === programs[start]) continue;
      const from = Math.max(box.left, this.toX(start * session.hopS));
      const to = Math.min(box.right, this.toX(k * session.hopS));
      const name = programs[start];
      g.fillStyle = colour(name ? classColour(classes.indexOf(name)) : "--rule");
      g.fillRect(from, y, Math.max(1, to - from - 1), 8);
      const text = name ? spoken(name) : "none";
      if (g.measureText(text).width < to - from - 4) {
        g.fillStyle = colour("--ink");
        g.textAlign = "left";
        g.textBaseline = "top";
        g.fillText(text, from, y + 12);
      }
      start = k;
    }
  }

  times(y) {
    const { context: g, box } = this;
    const { left, right, fromS, toS } = box;
    g.fillStyle = colour("--quiet");
    g.textBaseline = "top";
    g.textAlign = "center";
    for (const tick of ticks(fromS, toS, Math.max(2, Math.floor((right - left) / 90)))) {
      const at = this.toX(tick);
      g.fillRect(at, y, 1, 4);
      g.fillText(String(tick), Math.min(at, right - 8), y + 6);
    }
    g.fillText("time [s]", (left + right) / 2, y + 21);
  }
}

/** draw(explanation): the level of a clip in grey, evidence for its class in colour. */
export class EvidenceMap extends Plot {
  constructor(parent) {
    super(parent, { description: "Evidence over the spectrogram", height: 260 });
    this.store = document.createElement("canvas");
  }

  paint() {
    const width = this.prepare();
    const { context: g, height, data: explanation } = this;
    const { frames, bands, hz, timesS, region } = explanation;
    const [left, right, top, bottom] = [62, width - RIGHT, 6, height - 36];
    const picture = new ImageData(frames, bands);
    paintEvidence(picture, explanation);
    this.store.width = frames;
    this.store.height = bands;
    this.store.getContext("2d").putImageData(picture, 0, 0);
    g.imageSmoothingEnabled = false;
    g.drawImage(this.store, left, top, right - left, bottom - top);
    const x = (frame) => left + (frame / frames) * (right - left);
    const y = (band) => bottom - (band / bands) * (bottom - top);
    g.fillStyle = colour("--quiet");
    g.textAlign = "right";
    g.textBaseline = "middle";
    for (const tick of [100, 500, 1000, 2000, 4000, 8000, 16000]) {
      const band = hz.findIndex((each) => each >= tick);
      if (band > 0) g.fillText(`${tick.toLocaleString("en")} Hz`, left - 5, y(band + 0.5));
    }
    g.textAlign = "center";
    g.textBaseline = "top";
    const step = timesS[1] - timesS[0];
    const startS = timesS[0] - step / 2;
    for (const tick of ticks(startS, startS + frames * step, Math.max(2, Math.floor(width / 110)))) {
      g.fillText(String(tick), x((tick - startS) / step), bottom + 4);
    }
    g.fillText("time [s]", (left + right) / 2, bottom + 19);
    if (region) {
      g.strokeStyle = colour("--hot");
      g.lineWidth = 2;
      g.strokeRect(x(region.frames[0]), y(region.bands[1]), x(region.frames[1]) - x(region.frames[0]),
        y(region.bands[0]) - y(region.bands[1]));
    }
  }
}

/** Pixels of level in grey, over which evidence lies: hot for the class, cold against it. */
function paintEvidence(picture, { evidence, level, frames, bands }) {
  const channels = (name) => [1, 3, 5].map((k) => parseInt(colour(name).slice(k, k + 2), 16));
  const [page, ink, hot, cold] = ["--page", "--ink", "--hot", "--cold"].map(channels);
  let [low, high, most] = [Infinity, -Infinity, 1e-9];
  for (const value of level) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  low = Math.max(low, high - 80);
  for (const value of evidence) most = Math.max(most, Math.abs(value));
  for (let frame = 0; frame < frames; frame++) {
    for (let band = 0; band < bands; band++) {
      const at = frame * bands + band;
      const grey = 0.75 * Math.max(0, (level[at] - low) / (high - low || 1));
      const weight = 0.85 * (Math.abs(evidence[at]) / most);
      const over = evidence[at] > 0 ? hot : cold;
      const mixed = page.map((value, k) =>
        (value + (ink[k] - value) * grey) * (1 - weight) + over[k] * weight);
      picture.data.set([...mixed, 255], 4 * ((bands - 1 - band) * frames + frame));
    }
  }
}
