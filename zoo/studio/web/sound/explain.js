// Occlusion, as zoo.explain.occlusion does it: the fall of the log-odds of a class when a patch of
// the spectrogram is set to the mean of the training data.

const SMALLEST = 1e-7; // probability, in log-odds
const MIN_EVIDENCE_NATS = 0.1; // no region is named where the highest evidence is below this
const PATCH_S = 0.4;
const PATCH_SHARE = 0.125; // of the bands
const MIN_PAUSE_MS = 30; // computed at once, before the page may react

/**
 * Evidence for a class over time and frequency.
 *
 * Of `models`, `front` maps a waveform to level, features and, where frames were trimmed, frames;
 * `network` features to probabilities. `clip` has waveform and startS, its time [s]. Returns { evidence, level (frames x bands, row by row), frames, bands,
 * timesS, hz, region, probability }; null if `isCancelled()` became true. `progress` takes 0 to 1.
 */
export async function explain(models, clip, label, { progress, isCancelled }) {
  const { front, network, manifest } = models;
  const { waveform, startS } = clip;
  const number = manifest.classes.indexOf(label);
  const { level, features, frames: trimmed } = front.run({ waveform });
  const [, rows, bands] = front.outputs.features.shape;
  const source = trimmed ?? Int32Array.from({ length: rows }, (_, k) => k);
  const { hop_s: hopS } = manifest.front_end;
  const patch = [Math.min(rows, Math.max(1, Math.round(PATCH_S / hopS))),
    Math.min(bands, Math.max(1, Math.round(PATCH_SHARE * bands)))];
  const unknown = manifest.classes.indexOf(manifest.unknown?.class);
  const score = (values) => {
    const p = network.run({ features: values }).probabilities;
    // "unknown" says how near a sound is to all classes, not which it is
    if (unknown < 0 || number === unknown) return logOdds(p[number]);
    const known = p.reduce((sum, value, k) => (k === unknown ? sum : sum + value), 0);
    return logOdds(p[number] / Math.max(SMALLEST, known));
  };
  const whole = score(features);
  const total = new Float64Array(rows * bands);
  const count = new Float64Array(rows * bands);
  const patches = patchesOf([rows, bands], patch);
  let pause = performance.now();
  for (const [k, where] of patches.entries()) {
    const fall = whole - score(occluded(features, source, bands, where));
    forEachPoint(where, bands, (at) => {
      total[at] += fall;
      count[at] += 1;
    });
    if (performance.now() - pause > MIN_PAUSE_MS) {
      progress(k / patches.length);
      await new Promise((resolve) => setTimeout(resolve));
      if (isCancelled()) return null;
      pause = performance.now();
    }
  }
  const kept = new Set(source);
  const evidence = total.map((value, at) =>
    (kept.has(Math.floor(at / bands)) ? value / count[at] : 0));
  const probability = network.run({ features }).probabilities[number];
  const result = { evidence, level, frames: rows, bands, probability, label, region: null,
    timesS: timesOf(manifest.front_end, rows).map((timeS) => timeS + startS),
    hz: bandsHz(manifest.front_end) };
  const where = aroundHighest(evidence, rows, bands);
  if (where) {
    const without = network.run({ features: occluded(features, source, bands, where) });
    const endS = startS + waveform.length / manifest.front_end.sample_rate_hz;
    result.region = regionOf(result, where, [startS, endS], manifest.front_end.hop_s / 2);
    result.region.without = without.probabilities[number];
  }
  return result;
}

/** The explanation in one line. */
export function sentence({ label, probability, region }) {
  const start = `${label} ${probability.toFixed(2)}`;
  if (!region) return `${start}: evidence is spread over the clip, no single region stands out`;
  const hz = (value) => Math.round(value).toLocaleString("en");
  return `${start}: ${region.fromS.toFixed(2)} to ${region.toS.toFixed(2)} s, ${hz(region.lowHz)} to `
    + `${hz(region.highHz)} Hz; without it ${region.without.toFixed(2)}`;
}

function logOdds(probability) {
  const p = Math.min(1 - SMALLEST, Math.max(SMALLEST, probability));
  return Math.log(p) - Math.log1p(-p);
}

/** Rectangles [first row, behind last row, first band, behind last band] that overlap by half. */
export function patchesOf(sizes, patch) {
  const [rows, columns] = sizes.map((size, k) => {
    const starts = new Set();
    for (let start = 0; start <= size - patch[k]; start += Math.max(1, patch[k] >> 1)) {
      starts.add(start);
    }
    return [...starts.add(size - patch[k])];
  });
  return rows.flatMap((row) => columns.map((column) =>
    [row, row + patch[0], column, column + patch[1]]));
}

function forEachPoint([top, bottom, left, right], bands, act) {
  for (let row = top; row < bottom; row++) {
    for (let band = left; band < right; band++) act(row * bands + band);
  }
}

/** The features with a rectangle set to the mean, in every row copied from its rows. */
function occluded(features, source, bands, [top, bottom, left, right]) {
  const result = features.slice();
  source.forEach((from, row) => {
    if (top <= from && from < bottom) result.fill(0, row * bands + left, row * bands + right);
  });
  return result;
}

/** Rectangle around the highest point and all that is connected to it at half of it, or null. */
function aroundHighest(evidence, rows, bands) {
  let best = 0;
  evidence.forEach((value, at) => { if (value > evidence[best]) best = at; });
  if (evidence[best] < MIN_EVIDENCE_NATS) return null;
  const seen = new Set([best]);
  const where = [rows, 0, bands, 0];
  for (const at of seen) { // it grows while it is walked
    const [row, band] = [Math.floor(at / bands), at % bands];
    where[0] = Math.min(where[0], row);
    where[1] = Math.max(where[1], row + 1);
    where[2] = Math.min(where[2], band);
    where[3] = Math.max(where[3], band + 1);
    const near = [];
    if (row) near.push(at - bands);
    if (row < rows - 1) near.push(at + bands);
    if (band) near.push(at - 1);
    if (band < bands - 1) near.push(at + 1);
    for (const next of near) if (evidence[next] >= evidence[best] / 2) seen.add(next);
  }
  return where;
}

function regionOf({ timesS, hz }, [top, bottom, left, right], [startS, endS], half) {
  const edge = (place) => { // bands are their middles, an edge lies between two
    const at = Math.min(hz.length - 1, Math.max(0, place - 0.5));
    const below = Math.min(hz.length - 2, Math.floor(at));
    return hz[below] + (at - below) * (hz[below + 1] - hz[below]);
  };
  return {
    frames: [top, bottom], bands: [left, right],
    fromS: Math.max(startS, timesS[top] - half),
    toS: Math.min(endS, timesS[bottom - 1] + half),
    lowHz: edge(left), highHz: edge(right),
  };
}

/** Middle of each frame [s], see zoo.spectrogram.FrontEnd.times_s. */
function timesOf({ padding, hop_s: hopS, window_s: windowS }, frames) {
  const first = { centred: 0, causal: hopS - windowS / 2 }[padding] ?? windowS / 2;
  return Array.from({ length: frames }, (_, k) => first + k * hopS);
}

const CORNER_HZ = 1000; // Slaney's scale: straight below, logarithmic above
const CORNER_MEL = 15;
const LOG_STEP = Math.log(6.4) / 27;

/** Where the triangle of each mel band peaks [Hz]. */
export function bandsHz({ mels, fmin_hz: low, fmax_hz: high, sample_rate_hz: rate, scale }) {
  const [toMel, toHz] = scale === "htk"
    ? [(hz) => 2595 * Math.log10(1 + hz / 700), (mel) => 700 * (10 ** (mel / 2595) - 1)]
    : [(hz) => (hz < CORNER_HZ ? (hz * CORNER_MEL) / CORNER_HZ
      : CORNER_MEL + Math.log(hz / CORNER_HZ) / LOG_STEP),
    (mel) => (mel < CORNER_MEL ? (mel * CORNER_HZ) / CORNER_MEL
      : CORNER_HZ * Math.exp(LOG_STEP * (mel - CORNER_MEL)))];
  const [first, last] = [toMel(low), toMel(high ?? rate / 2)];
  return Array.from({ length: mels }, (_, k) => toHz(first + ((last - first) * (k + 1)) / (mels + 1)));
}
