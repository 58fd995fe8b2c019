// Heads on a frozen embedding, fitted as zoo.teaching.heads fits them: prototypes or multinomial
// logistic regression, chosen by cross-validation, and the threshold of the unknown.

import { highest } from "./labels.js";

const PENALTIES = [1e-3, 1e-2, 1e-1]; // of the weights of a linear head, to choose from
const PROTOTYPE_SCALE = 12; // of a cosine as a logit
const KEPT = 0.95; // share of known sounds that the threshold lets pass
const PARTS = 5; // of the cross-validation
const MIN_CALIBRATION_CLIPS = 10;
const ITERATIONS = 200;
const MEMORY = 10; // steps that the search direction remembers

/** An embedding scaled to length 1. */
export function unit(embedding) {
  const length = Math.max(Math.sqrt(dot(embedding, embedding)), 1e-12);
  return Float64Array.from(embedding, (value) => value / length);
}

/** { kind, penalty, weights (classes arrays of width), bias } for embeddings with class numbers. */
export function fitHead(embeddings, labels, kind, penalty, classes) {
  const units = embeddings.map(unit);
  const weights = Array.from({ length: classes }, (_, k) => {
    const own = units.filter((__, n) => labels[n] === k);
    const sum = new Float64Array(units[0].length);
    for (const each of own) each.forEach((value, j) => { sum[j] += value; });
    return unit(sum).map((value) => PROTOTYPE_SCALE * value);
  });
  if (kind === "prototype") return { kind, penalty: 0, weights, bias: new Array(classes).fill(0) };
  return { kind, penalty, ...logistic(units, labels, penalty, weights) };
}

/** Class scores of an embedding. */
export function scoresOf({ weights, bias }, embedding) {
  const u = unit(embedding);
  return weights.map((each, k) => dot(each, u) + bias[k]);
}

/**
 * Kind and penalty by cross-validation over clips; of equally good ones the first.
 *
 * Returns { kind, penalty, accuracy: [name, share] of each candidate, familiarity: of each clip,
 * the cosine to the nearest of the others }.
 */
export function chooseHead(embeddings, labels) {
  const units = embeddings.map(unit);
  const order = {};
  const part = labels.map((label) => {
    order[label] = (order[label] ?? -1) + 1;
    return order[label] % PARTS;
  });
  const candidates = [["prototype", "prototype", 0],
    ...PENALTIES.map((penalty) => [`linear ${penalty}`, "linear", penalty])];
  const hits = candidates.map(() => 0);
  const familiarity = new Array(labels.length).fill(NaN);
  for (let k = 0; k < PARTS; k++) {
    const train = labels.map((_, n) => n).filter((n) => part[n] !== k);
    const test = labels.map((_, n) => n).filter((n) => part[n] === k);
    if (!train.length || !test.length) continue;
    const seen = [...new Set(train.map((n) => labels[n]))].sort((a, b) => a - b);
    for (const n of test) familiarity[n] = Math.max(...train.map((m) => dot(units[n], units[m])));
    candidates.forEach(([, kind, penalty], c) => {
      const head = fitHead(train.map((n) => units[n]), train.map((n) => seen.indexOf(labels[n])),
        kind, penalty, seen.length);
      for (const n of test) hits[c] += seen[highest(scoresOf(head, units[n]))] === labels[n];
    });
  }
  const accuracy = candidates.map(([name], c) => [name, hits[c] / labels.length]);
  const [, kind, penalty] = candidates[highest(hits)];
  return { kind, penalty, accuracy, familiarity };
}

/** Familiarity below which a sound is unknown; -1, never, where too few clips calibrate it. */
export function unknownThreshold(familiarity) {
  const values = familiarity.filter(Number.isFinite).sort((a, b) => a - b);
  if (values.length < MIN_CALIBRATION_CLIPS) return -1;
  const place = (1 - KEPT) * (values.length - 1);
  const below = Math.floor(place);
  return values[below] + (place - below) * ((values[below + 1] ?? values[below]) - values[below]);
}

/** Weights and bias that minimise the mean cross-entropy + penalty |W|^2 / 2, by L-BFGS. */
function logistic(units, labels, penalty, start) {
  const [classes, width] = [start.length, units[0].length];
  const size = classes * width;
  const loss = (flat) => {
    let value = 0;
    const gradient = new Float64Array(flat.length);
    for (let j = 0; j < size; j++) {
      value += (penalty / 2) * flat[j] * flat[j];
      gradient[j] = penalty * flat[j];
    }
    units.forEach((u, n) => {
      const scores = new Float64Array(classes);
      for (let k = 0; k < classes; k++) {
        let sum = flat[size + k];
        for (let j = 0; j < width; j++) sum += flat[k * width + j] * u[j];
        scores[k] = sum;
      }
      const most = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
      value -= (scores[labels[n]] - most - Math.log(total)) / units.length;
      for (let k = 0; k < classes; k++) {
        const error = (Math.exp(scores[k] - most) / total - (labels[n] === k)) / units.length;
        for (let j = 0; j < width; j++) gradient[k * width + j] += error * u[j];
        gradient[size + k] += error;
      }
    });
    return { value, gradient };
  };
  const first = new Float64Array(size + classes);
  start.forEach((each, k) => first.set(each, k * width));
  const flat = minimize(loss, first);
  return {
    weights: start.map((_, k) => flat.slice(k * width, (k + 1) * width)),
    bias: Array.from(flat.slice(size)),
  };
}

function minimize(loss, start) {
  let x = start;
  let { value, gradient } = loss(x);
  const steps = [];
  for (let k = 0; k < ITERATIONS && Math.sqrt(dot(gradient, gradient)) > 1e-7; k++) {
    const direction = searchDirection(gradient, steps);
    const slope = dot(gradient, direction);
    let length = steps.length ? 1 : Math.min(1, 1 / Math.sqrt(dot(gradient, gradient)));
    let next;
    let at;
    do {
      at = x.map((each, j) => each + length * direction[j]);
      next = loss(at);
      length /= 2;
    } while (next.value > value + 2e-4 * length * slope && length > 1e-12);
    const moved = at.map((each, j) => each - x[j]);
    const changed = next.gradient.map((each, j) => each - gradient[j]);
    const curvature = dot(moved, changed);
    if (curvature > 1e-14) steps.push({ moved, changed, curvature });
    if (steps.length > MEMORY) steps.shift();
    if (value - next.value < 1e-14) break;
    x = at;
    ({ value, gradient } = next);
  }
  return x;
}

function searchDirection(gradient, steps) {
  const direction = gradient.map((each) => -each);
  const shares = steps.map(() => 0);
  for (let k = steps.length - 1; k >= 0; k--) {
    const { moved, changed, curvature } = steps[k];
    shares[k] = dot(moved, direction) / curvature;
    for (let j = 0; j < direction.length; j++) direction[j] -= shares[k] * changed[j];
  }
  const last = steps.at(-1);
  if (last) {
    const scale = last.curvature / dot(last.changed, last.changed);
    for (let j = 0; j < direction.length; j++) direction[j] *= scale;
  }
  steps.forEach(({ moved, changed, curvature }, k) => {
    const share = dot(changed, direction) / curvature;
    for (let j = 0; j < direction.length; j++) direction[j] += (shares[k] - share) * moved[j];
  });
  return direction;
}

function dot(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}
