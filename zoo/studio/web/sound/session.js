// One recording: its samples, what the hearing aid made of each hop, and what pictures show of it.

import { join } from "./condition.js";
import { StreamClassifier } from "./classifier.js";
import { Spectrum } from "./spectrum.js";

export const BINS = 256; // of a column of the spectrogram, from 0 Hz to half the model's rate
export const FLOOR_DB = -110; // of the picture
const SIZE = 2 * BINS;

/** Grows while sound comes in; `hops` are the classifier's, `columns` levels of 0 to 255. */
export class Session {
  constructor(model, rateHz, settings) {
    this.rateHz = rateHz;
    this.parts = []; // channels of each block
    this.frames = 0;
    this.classifier = new StreamClassifier(model, rateHz, settings);
    this.hops = [];
    this.columns = [];
    this.peaks = []; // [lowest, highest] sample of each hop
    this.loudest = 0.02; // of all samples, for the height of the waveform
    this.spectrum = new Spectrum(SIZE);
    this.recent = new Float32Array(SIZE);
    this.computedMs = 0; // spent on what the hearing aid does
    this.classifier.onhop = (hop) => this.picture(hop);
  }

  get hopS() { return this.classifier.hopS; }

  get durationS() { return this.frames / this.rateHz; }

  get classes() { return this.classifier.rule.classes; }

  /** Take a block of channels. */
  add(channels, isGap = false) {
    if (this.parts.length && channels.length !== this.parts[0].length) {
      channels = this.parts[0].map((_, k) => channels[k] ?? channels[0]);
    }
    this.parts.push(channels);
    this.frames += channels[0].length;
    const start = performance.now();
    if (isGap) this.classifier.markGap();
    this.hops.push(...this.classifier.process(channels));
    this.computedMs += performance.now() - start;
  }

  /** The sound ends. */
  finish() {
    this.hops.push(...this.classifier.finish());
  }

  /** All samples so far, an array for each channel. */
  channels() {
    if (this.parts.length > 1) {
      this.parts = [this.parts[0].map((_, k) => join(this.parts.map((part) => part[k])))];
    }
    return this.parts[0] ?? [new Float32Array(0)];
  }

  picture(hop) {
    this.recent.copyWithin(0, hop.length);
    this.recent.set(hop, SIZE - hop.length);
    const scale = 255 / -FLOOR_DB;
    const column = new Uint8ClampedArray(BINS);
    this.spectrum.levels(this.recent).forEach((level, k) => {
      column[k] = (level - FLOOR_DB) * scale;
    });
    this.columns.push(column);
    let [low, high] = [Infinity, -Infinity];
    for (const value of hop) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    this.peaks.push([low, high]);
    this.loudest = Math.max(this.loudest, -low, high);
  }
}
