// A stream of sound classified hop by hop, as zoo.edge.classifier does it: check samples, mix
// channels, resample, hops, offset, step model, rule of the manifest, decision.

import { Resampler } from "../resample.js";
import { ChannelMixer } from "./channels.js";
import { bridge, CLIPPED, GAP, Inspector, isSilent, join, levelDbfs, mean, NOT_FINITE, SILENT,
  SOUND,
} from "./condition.js";
import { Decision, decisionSettings } from "./decision.js";
import { LabelRule } from "./labels.js";
import { OffsetFilter } from "./offset.js";

const MAX_SPOILT = 0.25; // share of a hop that is filled in

/** A model that takes one step at a time, with its states inside. */
export class StepModel {
  /** `model` of the runtime, and its manifest. */
  constructor(model, manifest) {
    this.model = model;
    this.manifest = manifest;
    this.states = Object.keys(model.inputs).filter((name) => `${name}_next` in model.outputs);
    this.input = Object.keys(model.inputs).find((name) => !this.states.includes(name));
    this.hop = model.inputs[this.input].size;
    this.reset();
  }

  reset() {
    const described = this.manifest.signatures.step.inputs;
    this.values = Object.fromEntries(this.states.map((name) => [name,
      new Float32Array(this.model.inputs[name].size).fill(described[name]?.initial ?? 0)]));
  }

  /** Probabilities of one hop of finite samples. */
  step(sound) {
    const outputs = this.model.run({ [this.input]: sound, ...this.values });
    if (!outputs.probabilities.every(Number.isFinite)) {
      throw new Error("The output is not finite: the input lies far outside the model's range.");
    }
    for (const name of this.states) this.values[name] = outputs[`${name}_next`];
    return outputs.probabilities;
  }
}

/**
 * Classifies a stream with a step model. process(channels) and finish() return hops { timeS,
 * condition, levelDbfs, probabilities (null: not classified), program, label }.
 */
export class StreamClassifier {
  /** `model` has manifest, hop, reset() and step(sound); `rateHz` is the stream's. */
  constructor(model, rateHz, settings = decisionSettings(model.manifest.decision ?? {})) {
    const { manifest } = model;
    model.reset();
    this.model = model;
    this.rule = new LabelRule(manifest);
    this.hop = model.hop;
    this.modelRateHz = manifest.front_end.sample_rate_hz;
    this.hopS = this.hop / this.modelRateHz;
    this.mixer = new ChannelMixer(rateHz);
    this.resampler = new Resampler(rateHz, this.modelRateHz);
    this.offset = new OffsetFilter(this.modelRateHz);
    this.decision = new Decision(settings, this.rule.classes);
    this.inspector = new Inspector();
    this.program = { name: null, posterior: this.decision.posterior, changed: false };
    this.buffer = new Float32Array(this.hop); // the next hop
    this.filled = 0;
    this.samples = 0; // of the stream so far, at its own rate
    this.hops = 0;
    this.faults = new Map(); // by the number of a hop to come
    this.before = null; // the last hop that was classified
    this.isInterrupted = false; // hops were left out since then
    this.onhop = null; // takes every hop's samples, at the model's rate
  }

  /** Hops that are complete with a block: an array for each channel. */
  process(channels) {
    if (!channels[0].length) return [];
    return this.takeHops(this.resampler.process(this.clean(this.inspector.process(channels))));
  }

  /** Note that samples were lost before the next block. */
  markGap() {
    this.recordFaults([[GAP, [0]]]);
  }

  /** The hops that only the end of the stream completes. */
  finish() {
    const rest = join([this.clean(this.inspector.finish()), this.mixer.finish()]);
    return this.takeHops(join([this.resampler.process(rest), this.resampler.finish()]));
  }

  clean({ samples, faults }) {
    if (!samples[0].length) return new Float32Array(0);
    this.recordFaults(faults);
    this.samples += samples[0].length;
    return this.mixer.process(samples);
  }

  takeHops(samples) {
    const results = [];
    for (let start = 0; start < samples.length;) {
      const part = samples.subarray(start, start + this.hop - this.filled);
      this.buffer.set(part, this.filled);
      this.filled += part.length;
      start += part.length;
      if (this.filled === this.hop) {
        this.filled = 0;
        this.onhop?.(this.buffer);
        results.push(this.classify(this.buffer));
      }
    }
    return results;
  }

  classify(hop) {
    let { condition, share } = this.faults.get(this.hops) ?? { condition: SOUND, share: 0 };
    this.faults.delete(this.hops);
    this.hops += 1;
    if (condition === SOUND && isSilent(hop)) condition = SILENT;
    this.program = { ...this.program, changed: false };
    let [probabilities, label, level] = [null, null, 0];
    if (condition === SOUND) {
      const sound = this.offset.process(hop);
      level = levelDbfs(sound);
      probabilities = this.step(sound);
      label = this.rule.label(probabilities);
      this.program = this.decision.update(this.rule.evidence(probabilities), level, this.hopS);
    } else {
      if (condition === SILENT || condition === GAP || share > MAX_SPOILT) this.isInterrupted = true;
      else this.step(this.offset.process(hop));
      level = condition === NOT_FINITE ? NaN : levelDbfs(hop, mean(hop));
    }
    const timeS = this.hops * this.hopS;
    return { timeS, condition, levelDbfs: level, probabilities, program: this.program, label };
  }

  /** Probabilities of a hop; a step over what was left out before comes first. */
  step(sound) {
    if (this.isInterrupted && this.before) this.model.step(bridge(this.before, sound));
    this.before = sound;
    this.isInterrupted = false;
    return this.model.step(sound);
  }

  /** Record the hops that samples at these places of the block belong to. */
  recordFaults(faults) {
    const { up, down } = this.resampler;
    for (const [condition, places] of faults) {
      const counts = new Map();
      const count = (hop) => counts.set(hop, (counts.get(hop) ?? 0) + 1);
      for (const place of places) {
        const time = (this.samples + place) * up; // in units of 1 / (rate down)
        const first = Math.floor(Math.floor(time / down) / this.hop);
        const last = Math.floor(Math.floor((time + up - 1) / down) / this.hop);
        count(first);
        if (last > first) count(last); // a sample of the stream may lie astride two hops
      }
      for (const [hop, number] of counts) {
        const before = this.faults.get(hop) ?? { condition, share: 0 };
        const share = condition === GAP ? 1 : (number * up) / down / this.hop;
        this.faults.set(hop, {
          // the worst counts: clipped, then a gap, then not finite
          condition: before.condition === CLIPPED || condition === NOT_FINITE ? condition
            : before.condition,
          share: before.share + share,
        });
      }
    }
  }
}

/** Programs of recorded hops with other settings, and the decision after the last of them. */
export function decideAgain(hops, hopS, rule, settings) {
  const decision = new Decision(settings, rule.classes);
  let program = { name: null, posterior: decision.posterior, changed: false };
  const programs = hops.map(({ probabilities, levelDbfs: level }) => {
    program = probabilities
      ? decision.update(rule.evidence(probabilities), level, hopS) : { ...program, changed: false };
    return program;
  });
  return { programs, decision };
}
