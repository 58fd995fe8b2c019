// A constant offset removed, as zoo.edge.offset does it: y[n] = x[n] - x[n-1] + r y[n-1].

const CUTOFF_HZ = 5; // 3 dB down

export class OffsetFilter {
  constructor(rateHz) {
    this.pole = Math.exp((-2 * Math.PI * CUTOFF_HZ) / rateHz);
    this.x = null; // the last sample; before the stream lies the mean of its first hop
    this.y = 0;
  }

  /** The hop without its offset; samples must be finite. */
  process(hop) {
    if (this.x === null) {
      let sum = 0;
      for (const value of hop) sum += value;
      this.x = sum / hop.length;
    }
    const result = new Float32Array(hop.length);
    for (let n = 0; n < hop.length; n++) {
      this.y = hop[n] - this.x + this.pole * this.y;
      this.x = hop[n];
      result[n] = this.y;
    }
    return result;
  }
}
