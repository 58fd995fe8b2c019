// Windows of sound for classifiers of whole clips, as zoo.edge.clips and zoo.edge.windows cut them.

import { readFile } from "../files.js";
import { Resampler } from "../resample.js";
import { ChannelMixer } from "./channels.js";
import { clipCondition, join, SOUND } from "./condition.js";
import { LabelRule } from "./labels.js";

/** Channels of a recording, mixed, at another rate. */
export function mixAndResample(channels, fromHz, toHz) {
  const mixer = new ChannelMixer(fromHz);
  const resampler = new Resampler(fromHz, toHz);
  const body = resampler.process(mixer.process(channels));
  return join([body, resampler.process(mixer.finish()), resampler.finish()]);
}

/** Starts of windows over so many samples: at 0, hop, 2 hop, ...; the last ends with the sound. */
export function windowStarts(samples, length, hop = length) {
  const last = Math.max(0, samples - length);
  const starts = [];
  for (let start = 0; start < last; start += hop) starts.push(start);
  return [...starts, last];
}

/** Samples of a window; a sound shorter than it is repeated. */
export function windowOf(sound, start, length) {
  if (sound.length >= length) return sound.subarray(start, start + length);
  return Float32Array.from({ length }, (_, k) => sound[k % sound.length]);
}

/** A model from one clip to the probabilities of classes, or to an embedding. */
export class ClipModel {
  constructor(model, manifest) {
    this.model = model;
    this.rateHz = manifest.front_end.sample_rate_hz;
    this.samples = model.inputs.waveform.size;
    this.rule = manifest.classes ? new LabelRule(manifest) : null;
  }

  /** Label of a clip: { name (null: unknown, or no sound), probabilities, condition }. */
  classify(clip) {
    const condition = clipCondition(clip);
    if (condition !== SOUND) return { name: null, probabilities: null, condition };
    const { probabilities } = this.model.run({ waveform: clip });
    return { name: this.rule.label(probabilities), probabilities, condition };
  }

  /** Embedding of a clip that holds sound. */
  embed(clip) {
    return this.model.run({ waveform: clip }).embedding;
  }
}

/** A classifier of clips that the app has in two files, see zoo.studio.cut: { model, front, network }. */
export async function openClips(context, name) {
  const { manifest, files } = context.model(name);
  const front = await context.openModel(name);
  if (!files.includes("network.tflite")) return { model: new ClipModel(front, manifest) };
  const path = `models/${name}/network.tflite`;
  if (!context.opened.has(path)) { // kept for all rooms, as the models themselves
    context.opened.set(path, Promise.all([context.runtime(), readFile(path)])
      .then(([runtime, bytes]) => runtime.open(bytes)));
  }
  const network = await context.opened.get(path);
  const whole = {
    inputs: front.inputs,
    run: (values) => network.run({ features: front.run(values).features }),
  };
  return { model: new ClipModel(whole, manifest), front, network };
}
