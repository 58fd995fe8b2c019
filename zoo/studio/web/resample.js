// Resampling of a stream, block by block, as zoo.edge.resampling does it: a polyphase filter of a
// Kaiser-windowed sinc, without delay, whose output equals that of the whole stream at once.

const ZEROS = 64; // of the sinc on each side of its middle
const BETA = 10; // of the Kaiser window
const EDGE = 0.95; // where the filter is 6 dB down, as a share of half the lower rate
const MAX_TABLE_SIZE = 1 << 19; // weights; rates that need more are interpolated
const PHASES = 512; // of these

export class Resampler {
  /** Rates are whole numbers of 1,000 to 384,000 Hz. */
  constructor(fromHz, toHz) {
    for (const rate of [fromHz, toHz]) {
      if (!Number.isInteger(rate) || rate < 1000 || rate > 384000) {
        throw new Error(`Expected a sample rate of 1000 to 384000 Hz, a whole number. Got ${rate}.`);
      }
    }
    const common = divisor(fromHz, toHz);
    this.up = toHz / common;
    this.down = fromHz / common;
    this.taps = 1;
    this.rows = [Float32Array.of(1)];
    this.interpolates = false;
    if (this.up !== this.down) this.design();
    this.reach = this.taps >> 1;
    this.reset();
  }

  design() {
    const lower = Math.min(1, this.up / this.down);
    const half = ZEROS / lower;
    this.taps = 2 * Math.ceil(half) + 1;
    this.interpolates = this.up * this.taps > MAX_TABLE_SIZE;
    const phases = this.interpolates ? PHASES : this.up;
    this.rows = Array.from({ length: phases + (this.interpolates ? 1 : 0) }, (_, k) =>
      phaseWeights(k / phases, half, EDGE * lower));
  }

  /** Back to the silence before the stream. */
  reset() {
    const behind = this.taps - 1 - this.reach;
    this.input = new Float32Array(behind);
    this.first = -behind; // place in the stream of the first sample of `input`
    this.outputs = 0; // samples of the output so far
  }

  /** Output samples that are complete with an input block. */
  process(block) {
    if (this.up === this.down) return Float32Array.from(block);
    const input = new Float32Array(this.input.length + block.length);
    input.set(this.input);
    input.set(block, this.input.length);
    this.input = input;
    const end = this.first + input.length;
    const complete = Math.max(
      0, Math.floor(((end - this.reach) * this.up - 1) / this.down) + 1);
    const result = new Float32Array(Math.max(0, complete - this.outputs));
    for (let k = 0; k < result.length; k++) result[k] = this.sample(this.outputs + k);
    this.outputs = Math.max(this.outputs, complete);
    this.dropUsedInput();
    return result;
  }

  /** The rest of the output, with silence after the input; `reset` starts a new stream. */
  finish() {
    if (this.up === this.down) return new Float32Array(0);
    const inputs = this.first + this.input.length;
    const missing = Math.ceil((inputs * this.up) / this.down) - this.outputs;
    return this.process(new Float32Array(this.reach)).slice(0, missing);
  }

  sample(n) {
    const place = n * this.down;
    const start = Math.floor(place / this.up) - (this.taps - 1 - this.reach) - this.first;
    const phase = place % this.up;
    if (!this.interpolates) return this.dot(this.rows[phase], start);
    const at = phase * (PHASES / this.up);
    const row = Math.floor(at);
    return this.dot(this.rows[row], start) * (1 - (at - row))
      + this.dot(this.rows[row + 1], start) * (at - row);
  }

  dot(weights, start) {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k] * this.input[start + k];
    return sum;
  }

  dropUsedInput() {
    const behind = this.taps - 1 - this.reach;
    const needed = Math.floor((this.outputs * this.down) / this.up) - behind;
    if (needed > this.first) {
      this.input = this.input.slice(needed - this.first);
      this.first = needed;
    }
  }
}

/** A whole signal at another rate. */
export function resample(signal, fromHz, toHz) {
  const resampler = new Resampler(fromHz, toHz);
  const body = resampler.process(signal);
  const rest = resampler.finish();
  const result = new Float32Array(body.length + rest.length);
  result.set(body);
  result.set(rest, body.length);
  return result;
}

function divisor(a, b) {
  return b ? divisor(b, a % b) : a;
}

/** Weights of one phase; `half` is the filter's reach in input samples. */
function phaseWeights(phase, half, cutoff) {
  const behind = Math.ceil(half);
  const weights = new Float64Array(2 * behind + 1);
  let sum = 0;
  for (let tap = -behind; tap <= behind; tap++) {
    const t = phase - tap;
    if (Math.abs(t) > half) continue;
    const inside = Math.max(0, 1 - (t / half) ** 2);
    const angle = Math.PI * cutoff * t;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    weights[tap + behind] = (cutoff * sinc * besselI0(BETA * Math.sqrt(inside))) / besselI0(BETA);
    sum += weights[tap + behind];
  }
  return Float32Array.from(weights, (weight) => weight / sum);
}

/** Modified Bessel function of order zero, by its series. */
function besselI0(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
