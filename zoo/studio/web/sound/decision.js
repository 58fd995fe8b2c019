// Probabilities to the program to run, as zoo.edge.decision does it: filter, hysteresis, dwell time.

import { highest } from "./labels.js";

const MIN_PROBABILITY = 1e-3; // in logarithms: a single hop never rules a class out
const DEFAULTS = {
  time_constant_s: 1, enter: 0.6, leave: 0.4, abstain_below: 0.2, dwell_s: 1, levels: [],
  method: "average", enter_by_class: {}, leave_by_class: {}, dwell_by_pair: [], weight_per_s: 8,
  changes_per_min: 6, offsets: {},
};

/** All settings of a decision: those of a manifest's entry `decision`, and defaults. */
export function decisionSettings(values = {}) {
  const unknown = Object.keys(values).filter((name) => !(name in DEFAULTS));
  if (unknown.length) throw new Error(`A decision has no setting ${unknown.join(", ")}.`);
  return structuredClone({ ...DEFAULTS, ...values });
}

/** Thresholds of a class: [enter, leave]. */
export function thresholds(settings, name) {
  return [settings.enter_by_class[name] ?? settings.enter,
    settings.leave_by_class[name] ?? settings.leave];
}

export class Decision {
  constructor(settings, classes) {
    this.settings = settings;
    this.classes = classes;
    const count = classes.length;
    this.enter = classes.map((name) => thresholds(settings, name)[0]);
    this.leave = classes.map((name) => thresholds(settings, name)[1]);
    this.offsets = classes.map((name) => settings.offsets[name] ?? 0);
    this.dwellS = classes.map(() => new Array(count).fill(settings.dwell_s));
    for (const { leave, enter, seconds } of settings.dwell_by_pair) {
      this.dwellS[classes.indexOf(leave)][classes.indexOf(enter)] = seconds;
    }
    this.reset();
  }

  /** As before the first sound: equal shares, no program, free to change at once. */
  reset() {
    this.posterior = new Array(this.classes.length).fill(1 / this.classes.length);
    this.present = null;
    this.heldS = Infinity;
  }

  /** One hop of `seconds`: { name (null: abstaining), posterior, changed }. */
  update(probabilities, levelDbfs, seconds) {
    this.posterior = this.track(this.applyLevels(Array.from(probabilities), levelDbfs), seconds);
    this.heldS += seconds;
    const chosen = this.choose();
    const changed = chosen !== this.present;
    if (changed) {
      this.present = chosen;
      this.heldS = 0;
    }
    return { name: chosen === null ? null : this.classes[chosen], posterior: this.posterior, changed };
  }

  applyLevels(probabilities, level) {
    for (const { name, certain_below: low, impossible_above: high } of this.settings.levels) {
      const own = this.classes.map((each) => each === name);
      if ((low ?? null) !== null && level < low) probabilities = own.map(Number);
      else if ((high ?? null) !== null && level > high) {
        const others = probabilities.map((value, k) => (own[k] ? 0 : value));
        const total = others.reduce((a, b) => a + b, 0);
        probabilities = total > 0 ? others.map((value) => value / total)
          : own.map((isOwn) => (isOwn ? 0 : 1) / Math.max(1, own.length - 1));
      }
    }
    return probabilities;
  }

  track(evidence, seconds) {
    const { settings, posterior: before } = this;
    if (settings.method === "average") {
      const share = -Math.expm1(-seconds / settings.time_constant_s);
      return before.map((value, k) => value + share * (evidence[k] - value));
    }
    const change = -Math.expm1((-seconds * settings.changes_per_min) / 60);
    const logs = before.map((value, k) => {
      const other = (1 - value) / Math.max(1, before.length - 1);
      const likelihood = Math.log(Math.max(evidence[k], MIN_PROBABILITY)) + this.offsets[k];
      return settings.weight_per_s * seconds * likelihood
        + Math.log(value + change * (other - value));
    });
    const most = Math.max(...logs);
    const shares = logs.map((value) => Math.exp(value - most));
    const total = shares.reduce((a, b) => a + b, 0);
    return shares.map((value) => value / total);
  }

  choose() {
    const { settings, posterior, present } = this;
    const best = highest(posterior);
    if (present === null) {
      return this.heldS < settings.dwell_s || posterior[best] < this.enter[best] ? null : best;
    }
    if (best !== present && posterior[present] < this.leave[present]
      && posterior[best] >= this.enter[best] && this.heldS >= this.dwellS[present][best]) {
      return best;
    }
    if (posterior[present] < settings.abstain_below && this.heldS >= settings.dwell_s) return null;
    return present;
  }
}
