// From the probabilities of a classifier to a label, by the rule in its manifest, as
// zoo.edge.labels does it.

export class LabelRule {
  /** `manifest` has classes, abstain_below, operating_point. */
  constructor(manifest) {
    this.classes = manifest.classes;
    this.abstainBelow = manifest.abstain_below ?? null;
    this.positive = manifest.operating_point?.class ?? null;
    this.threshold = manifest.operating_point?.threshold ?? 0.5;
  }

  /** Name of the class, or null: abstaining. */
  label(probabilities) {
    if (this.abstainBelow !== null && Math.max(...probabilities) < this.abstainBelow) return null;
    if (this.positive === null) return this.classes[highest(probabilities)];
    const index = this.classes.indexOf(this.positive);
    return this.classes[probabilities[index] >= this.threshold ? index : 1 - index];
  }

  /** Probabilities for a decision over time, where even odds are those of the rule. */
  evidence(probabilities) {
    const count = this.classes.length;
    if (this.label(probabilities) === null) return new Array(count).fill(1 / count);
    if (this.positive === null) return Array.from(probabilities);
    const index = this.classes.indexOf(this.positive);
    const pro = probabilities[index] * (1 - this.threshold);
    const contra = (1 - probabilities[index]) * this.threshold;
    const share = pro + contra > 0 ? pro / (pro + contra) : 0.5;
    return this.classes.map((_, k) => (k === index ? share : 1 - share));
  }

  /** The rule in one line. */
  describe() {
    let text = "the likeliest class";
    if (this.positive !== null) {
      const other = this.classes[1 - this.classes.indexOf(this.positive)];
      text = `${this.positive} from probability ${round(this.threshold)}, else ${other}`;
    }
    if (this.abstainBelow === null) return text;
    return `${text}; unknown where the highest probability is below ${round(this.abstainBelow)}`;
  }
}

/** Place of the highest value, the first of equals. */
export function highest(values) {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}

function round(value) {
  return String(Number(value.toPrecision(3)));
}
