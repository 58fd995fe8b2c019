// Power spectra of frames of sound, for pictures.

/** Level in decibels of `size` / 2 bins: periodic Hann window; a full-scale sine is 0 dB. */
export class Spectrum {
  constructor(size = 512) {
    this.size = size;
    this.window = Float64Array.from({ length: size }, (_, n) =>
      0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size));
    this.cosines = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sines = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    const bits = Math.log2(size);
    this.order = Uint16Array.from({ length: size }, (_, n) => {
      let result = 0;
      for (let bit = 0; bit < bits; bit++) result |= ((n >> bit) & 1) << (bits - 1 - bit);
      return result;
    });
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
  }

  /** Levels (size / 2,) of one frame (size,) [dB]. */
  levels(frame) {
    const { size, real, imaginary } = this;
    for (let n = 0; n < size; n++) real[this.order[n]] = frame[n] * this.window[n];
    imaginary.fill(0);
    for (let half = 1; half < size; half *= 2) this.combine(half);
    const scale = (4 / size) ** 2;
    const result = new Float32Array(size / 2);
    for (let k = 0; k < result.length; k++) {
      result[k] = 10 * Math.log10(scale * (real[k] * real[k] + imaginary[k] * imaginary[k]) + 1e-12);
    }
    return result;
  }

  combine(half) {
    const { size, real, imaginary, cosines, sines } = this;
    const stride = size / (2 * half);
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const [one, other] = [start + k, start + k + half];
        const [c, s] = [cosines[k * stride], sines[k * stride]];
        const re = real[other] * c - imaginary[other] * s;
        const im = real[other] * s + imaginary[other] * c;
        real[other] = real[one] - re;
        imaginary[other] = imaginary[one] - im;
        real[one] += re;
        imaginary[one] += im;
      }
    }
  }
}
