// One material along the steps of a path: its stress, and what it remembers after every step.

import { advanceStress } from "./law.js";

/** A model's answer to a path; it can go on from any step, since it keeps all states. */
export class Simulation {
  /**
   * `advance` (state, [strain, rate, dt]) -> { stress, state, outputs }: one step, where `outputs`
   * holds the arrays to show; `start` makes the state at rest. Without `keeps` only the stress is
   * kept, and it always starts at rest.
   */
  constructor(start, advance, keeps = true) {
    Object.assign(this, { start, advance, keeps });
    this.restart({ dt: 0, time: [], strain: [], rate: [] }, 0);
  }

  /** Take other steps, of which the first `same` are as before. */
  restart(path, same) {
    this.path = path;
    const keep = this.keeps ? Math.min(same, this.done ?? 0) : 0;
    const stress = new Float64Array(path.strain.length).fill(NaN);
    if (keep) stress.set(this.stress.subarray(0, keep));
    this.stress = stress;
    this.states = (this.states ?? []).slice(0, keep);
    this.outputs = (this.outputs ?? []).slice(0, keep);
    this.done = keep;
  }

  get isDone() {
    return this.done >= this.path.strain.length;
  }

  /** One more step. */
  step() {
    const { path: { strain, rate, dt }, done: k } = this;
    const before = k ? (this.keeps ? this.states[k - 1] : this.last) : this.start();
    const { stress, state, outputs } = this.advance(before, [strain[k], rate[k], dt]);
    this.stress[k] = stress;
    this.last = state;
    if (this.keeps) {
      this.states.push(state);
      this.outputs.push(outputs);
    }
    this.done = k + 1;
  }
}

/** Simulation of the exact law. */
export function lawSimulation(constants) {
  return new Simulation(() => 0, (before, [, rate, dt]) => {
    const stress = advanceStress(before, rate, dt, constants);
    return { stress, state: stress, outputs: {} };
  });
}

/** Root of the mean square of the values that are there. */
export function rms(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}

/** RMS difference from a reference over the reference's RMS. */
export function relativeError(values, reference) {
  const difference = values.map((value, k) => value - reference[k]);
  return rms(difference) / rms(reference);
}

/** RMS difference between a path's answer and that with every step cut in two, over `size`. */
export function selfConsistency(coarse, fine, size) {
  return rms(coarse.map((value, k) => value - fine[2 * k + 1])) / size;
}
