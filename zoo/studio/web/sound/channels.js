// Channels mixed to one, as zoo.edge.channels does it: dead channels are left out, and of opposite
// ones the strongest is used.

import { join } from "./condition.js";

const BLOCK_S = 0.01; // samples mixed at once [s]
const MEMORY_S = 0.1; // time constant of the powers that are compared [s]
const DEAD_DB = 40; // below the strongest channel: it is left out
const ALIVE_DB = 30; // it counts again
const OPPOSITE = 0.1; // power of the mean over that of as many independent channels
const ALIGNED = 0.4;

export class ChannelMixer {
  constructor(rateHz) {
    this.size = Math.max(2, roundEven(BLOCK_S * rateHz));
    this.share = 1 - Math.exp(-this.size / (MEMORY_S * rateHz));
    this.covariance = null;
    this.rest = null;
    this.dead = null;
    this.alone = null; // the channel that is used alone
    this.weights = null;
    this.note = ""; // why it is not the mean of all channels
  }

  /** Mixed samples of a block of channels; of several channels, of whole blocks. */
  process(channels) {
    if (channels.length === 1 && !this.rest) return channels[0];
    let x = channels;
    if (this.rest) {
      if (this.rest.length !== channels.length) {
        throw new Error(`Expected ${this.rest.length} channels as before. Got ${channels.length}.`);
      }
      x = channels.map((each, k) => join([this.rest[k], each]));
    }
    const whole = Math.floor(x[0].length / this.size) * this.size;
    this.rest = x.map((each) => each.slice(whole));
    const parts = [];
    for (let start = 0; start < whole; start += this.size) {
      parts.push(this.mix(x.map((each) => each.subarray(start, start + this.size))));
    }
    return join(parts);
  }

  /** The samples of the last block, which is not whole. */
  finish() {
    if (!this.rest?.[0].length) return new Float32Array(0);
    const rest = this.rest;
    this.rest = rest.map(() => new Float32Array(0));
    return this.mix(rest);
  }

  mix(block) {
    const weights = this.choose(block);
    const before = this.weights ?? weights;
    this.weights = weights;
    const length = block[0].length;
    const result = new Float64Array(length);
    block.forEach((each, k) => {
      const slope = (weights[k] - before[k]) / length;
      for (let n = 0; n < length; n++) result[n] += each[n] * (before[k] + (n + 1) * slope);
    });
    return Float32Array.from(result);
  }

  choose(block) {
    const count = block.length;
    if (!block.every((each) => each.every(Number.isFinite))) {
      return this.weights ?? new Array(count).fill(1 / count);
    }
    const now = covarianceOf(block);
    this.covariance = this.covariance?.map((row, i) => row.map((value, j) =>
      value + this.share * (now[i][j] - value))) ?? now;
    const power = this.covariance.map((row, k) => row[k]);
    const highest = Math.max(...power);
    const strongest = power.indexOf(highest);
    this.dead = power.map((value, k) => value < highest * 10 ** (-DEAD_DB / 10)
      || Boolean(this.dead?.[k] && value < highest * 10 ** (-ALIVE_DB / 10)));
    const used = power.map((_, k) => k).filter((k) => !this.dead[k]);
    const sum = (values) => values.reduce((a, b) => a + b, 0);
    const independent = sum(used.map((k) => power[k])) / used.length ** 2;
    const mixed = sum(used.flatMap((i) => used.map((j) => this.covariance[i][j]))) / used.length ** 2;
    const limit = this.alone === null ? OPPOSITE : ALIGNED;
    if (used.length < 2 || mixed >= limit * independent) this.alone = null;
    else if (this.alone === null || this.dead[this.alone]) this.alone = strongest;
    const taken = this.alone === null ? used : [this.alone];
    this.note = this.describe();
    return power.map((_, k) => (taken.includes(k) ? 1 / taken.length : 0));
  }

  describe() {
    const silent = this.dead.flatMap((isDead, k) => (isDead ? [k + 1] : []));
    const channels = silent.length > 1 ? "channels" : "channel";
    return [
      silent.length ? `no sound in ${channels} ${silent.join(", ")}, left out` : "",
      this.alone === null ? ""
        : `channels cancel each other, channel ${this.alone + 1} is used alone`,
    ].filter(Boolean).join("; ");
  }
}

function covarianceOf(block) {
  const length = block[0].length;
  const centred = block.map((each) => {
    let sum = 0;
    for (const value of each) sum += value;
    const centred = new Float64Array(length);
    for (let n = 0; n < length; n++) centred[n] = each[n] - sum / length;
    return centred;
  });
  return centred.map((one) => centred.map((other) => {
    let sum = 0;
    for (let n = 0; n < length; n++) sum += one[n] * other[n];
    return sum / length;
  }));
}

/** Round to the next whole number, halves to the even one, as Python does. */
function roundEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}
