// Whether a block of sound can be classified, as zoo.edge.condition says: NaN, clipping, silence,
// gaps; and how what is left out is bridged.

export const SOUND = "sound";
export const SILENT = "silent";
export const CLIPPED = "clipped";
export const GAP = "gap";
export const NOT_FINITE = "not finite";

const FULL_SCALE = 32767 / 32768; // the highest of 16-bit samples
const SILENT_DBFS = -100;
const MIN_CLIPPED_RUN = 3; // samples in a row at full scale

/**
 * Finds samples that spoil the hop they are in, before channels are mixed or resampled.
 *
 * process(channels) and finish() return { samples, faults }: the channels, where spoilt samples
 * hold the last good value; faults: [condition, places] of those that are spoilt.
 */
export class Inspector {
  constructor() {
    this.waiting = null; // of each channel: samples at full scale that may begin a run
    this.run = null; // of each channel: length of the run before them
    this.good = null; // of each channel: last good value
  }

  process(channels) {
    const x = this.waiting ? channels.map((each, k) => join([this.waiting[k], each])) : channels;
    this.waiting = null;
    if (x.every(isBelowFullScale)) {
      this.run = null;
      this.good = x.map((each) => each[each.length - 1]);
      return { samples: x, faults: [] };
    }
    const runs = this.runLengths(x);
    const length = x[0].length;
    const open = Math.max(...runs.map((run) => {
      const last = run[length - 1];
      return last < MIN_CLIPPED_RUN ? last : 0;
    }));
    return this.divide(x, runs, length - Math.min(open, length));
  }

  /** The samples that waited: the stream ends with them. */
  finish() {
    if (!this.waiting) return { samples: [new Float32Array(0)], faults: [] };
    const x = this.waiting;
    this.waiting = null;
    return this.divide(x, this.runLengths(x), x[0].length);
  }

  runLengths(x) {
    return x.map((each, k) => {
      const run = new Int32Array(each.length);
      let count = this.run ? this.run[k] : 0;
      for (let n = 0; n < each.length; n++) {
        count = Math.abs(each[n]) >= FULL_SCALE ? count + 1 : 0;
        run[n] = count;
      }
      return run;
    });
  }

  divide(x, runs, ready) {
    const clipped = new Set();
    const notFinite = new Set();
    const before = this.good ?? x.map(() => 0);
    const samples = x.map((each, k) => {
      const run = runs[k];
      const result = each.slice(0, ready);
      let good = before[k];
      for (let n = 0; n < ready; n++) {
        const isClipped = run[n] >= MIN_CLIPPED_RUN || run[n + 1] === MIN_CLIPPED_RUN
          || run[n + 2] === MIN_CLIPPED_RUN || Math.abs(each[n]) > 1;
        const isFinite = Number.isFinite(each[n]);
        if (isClipped) clipped.add(n);
        if (!isFinite) notFinite.add(n);
        if (isClipped || !isFinite) result[n] = good;
        else good = each[n];
      }
      return result;
    });
    this.waiting = ready < x[0].length ? x.map((each) => each.slice(ready)) : null;
    if (ready) this.run = runs.map((run) => run[ready - 1]);
    this.good = ready ? samples.map((each) => each[ready - 1]) : before;
    return { samples, faults: [[CLIPPED, [...clipped]], [NOT_FINITE, [...notFinite]]] };
  }
}

function isBelowFullScale(x) {
  for (const value of x) if (!(Math.abs(value) < FULL_SCALE)) return false; // NaN is not
  return true;
}

/** 20 log10 of the RMS of x less `offset`; a full-scale square wave is 0 dBFS, zeros -Infinity. */
export function levelDbfs(x, offset = 0) {
  let sum = 0;
  for (const value of x) sum += (value - offset) ** 2;
  return 10 * Math.log10(sum / x.length);
}

/** Mean of x. */
export function mean(x) {
  let sum = 0;
  for (const value of x) sum += value;
  return sum / x.length;
}

/** Whether x is digital silence, constant offset or not. */
export function isSilent(x) {
  return levelDbfs(x, mean(x)) < SILENT_DBFS;
}

/** Whether a clip can be classified: NOT_FINITE, SILENT or SOUND. */
export function clipCondition(x) {
  if (!x.every(Number.isFinite)) return NOT_FINITE;
  return isSilent(x) ? SILENT : SOUND;
}

/** Sound in place of what was left out between two hops, see zoo.edge.condition.bridge. */
export function bridge(before, after) {
  const size = before.length;
  return Float32Array.from(before, (_, k) => {
    const angle = ((Math.PI / 2) * (k + 0.5)) / size;
    return before[size - 1 - k] * Math.cos(angle) + after[size - 1 - k] * Math.sin(angle);
  });
}

/** Arrays of samples, one after the other. */
export function join(parts) {
  const result = new Float32Array(parts.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of parts) {
    result.set(each, at);
    at += each.length;
  }
  return result;
}
