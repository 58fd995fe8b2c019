// The folder of a classifier that was fitted in the page: a TFLite file, its manifest with hashes
// and seal, golden outputs and a card, as an export writes them.

import { joinBytes, npyOfRows, npyOfTexts, zip } from "./archive.js";
import { unit } from "./heads.js";

export const UNKNOWN = "unknown";
const UNSEALED = "0".repeat(64);

/**
 * The file of an embedding with a head in it. `table` says where offsets to shapes and constants
 * stand; what replaces them goes to the end of the file. `examples` are embeddings.
 */
export function withHead(file, table, head, examples) {
  const sizes = { c: head.bias.length, d: head.bias.length + 1, e: examples.length, w: table.width,
    1: 1 };
  const constants = {
    weights: head.weights, bias: [head.bias], examples: examples.map(unit),
    threshold: [[head.threshold]],
  };
  const parts = [file];
  let end = file.length;
  const offsets = []; // [place, target]
  const append = (bytes, alignment, lead) => {
    // a vector: its length, then its values, which have to lie at a multiple of `alignment`
    const gap = (alignment - ((end + 4) % alignment)) % alignment;
    const length = new Uint8Array(Uint32Array.of(lead).buffer);
    parts.push(new Uint8Array(gap), length, bytes);
    const target = end + gap;
    end = target + 4 + bytes.length;
    return target;
  };
  for (const [name, { shape, shapeAt, dataAt }] of Object.entries(table.tensors)) {
    const values = Int32Array.from(shape, (letter) => sizes[letter]);
    offsets.push([shapeAt, append(new Uint8Array(values.buffer), 4, values.length)]);
    if (dataAt === undefined) continue;
    const data = new Uint8Array(Float32Array.from(constants[name].flatMap((row) => [...row])).buffer);
    offsets.push([dataAt, append(data, 16, data.length)]);
  }
  const result = joinBytes(parts);
  const view = new DataView(result.buffer);
  for (const [place, target] of offsets) view.setUint32(place, target - place, true);
  return result;
}

/**
 * Files of the folder, [name, bytes].
 *
 * `taught` has name, classes, head, choice, counts ({ clips, copies }), golden ({ cases, waveform,
 * outputs }), file; `base` the model's name and manifest; `zoo` the version of the app.
 */
export async function folderFiles(taught, base, zoo) {
  const { golden, file } = taught;
  const arrays = [["cases.npy", npyOfTexts(golden.cases)], ["waveform.npy", npyOfRows(golden.waveform)],
    ["probabilities.npy", npyOfRows(golden.outputs.map((each) => each.probabilities))],
    ["embedding.npy", npyOfRows(golden.outputs.map((each) => each.embedding))]];
  const manifest = manifestOf(taught, base, zoo);
  const files = [["CARD.md", new TextEncoder().encode(card(manifest))], ["golden.npz", zip(arrays)],
    ["model.tflite", file]];
  for (const [name, content] of files) {
    manifest.files[name] = { sha256: await sha256(content), bytes: content.length };
  }
  return [...files, ["manifest.json", await sealed(manifest)]];
}

/** Bytes of a manifest whose seal is the hash of itself with zeros in the seal's place. */
async function sealed(manifest) {
  const text = `${JSON.stringify({ ...manifest, seal: UNSEALED }, null, 1)}\n`;
  const seal = await sha256(new TextEncoder().encode(text));
  const at = text.lastIndexOf(UNSEALED);
  return new TextEncoder().encode(text.slice(0, at) + seal + text.slice(at + UNSEALED.length));
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function manifestOf({ name, classes, head, choice, counts, golden, base16 }, base, zoo) {
  const { manifest } = base;
  const all = [...classes, UNKNOWN];
  const meaning = all.map((each) => `probability of ${each}`);
  const samples = golden.waveform[0].length;
  const { width } = counts;
  const added = width * (classes.length + counts.clips);
  const accuracy = Object.fromEntries(choice.accuracy);
  const chosen = head.kind === "prototype" ? "prototype" : `linear ${head.penalty}`;
  return {
    format: 2, name, task: "classification of sounds learnt from examples",
    description: `${classes.length} classes of sound on the frozen embedding of ${base.name}, front `
      + `end inside; ${sentence(choice)}. The last class, "${UNKNOWN}", is for sounds that resemble `
      + "no example.",
    created: new Date().toISOString().replace(/\.\d+Z$/, "+00:00"),
    versions: { zoo, where: "zoo studio, in a browser" },
    signatures: { serving_default: {
      inputs: { waveform: manifest.signatures.serving_default.inputs.waveform },
      outputs: {
        probabilities: { shape: [null, all.length], dtype: "float32", unit: all.map(() => "-").join(", "),
          meaning: meaning.join("; "),
          features: all.map((each, k) => ({ name: each, unit: "-", meaning: meaning[k] })) },
        embedding: manifest.signatures.serving_default.outputs.embedding,
      } } },
    parameters: manifest.parameters + added + classes.length + 1,
    macs: { ...manifest.macs, value: manifest.macs.value + added },
    metrics: { "clips left out, the head chosen on them": {
      accuracy: { value: accuracy[chosen], baseline: 1 / classes.length, baseline_name: "chance" },
      ...Object.fromEntries(choice.accuracy.map(([key, value]) => [`accuracy, head ${key}`, { value }])) } },
    limits: [
      "Accuracy is that of cross-validation over few clips, by which the head was chosen: it is optimistic.",
      head.threshold > -1 ? "The threshold of the unknown was calibrated on known sounds alone."
        : "There are too few clips to calibrate the threshold of the unknown: every sound gets a class.",
      "Made in a browser: there is a TFLite file alone. The clips beside it, given to `zoo teach`, make "
        + "every format.",
      ...(base16 ? ["The base's weights were rounded to 16 bits, as in the page that made it."] : []),
      ...manifest.limits.filter((each) => !each.includes(".tflite")).map((each) => `Base: ${each}`),
    ],
    training: { clips: counts.clips, noisy_copies: counts.copies, head: head.kind,
      penalty: head.penalty, base: base.name },
    golden: { cases: golden.cases, shape: [golden.cases.length, samples] },
    formats: { "model.tflite": { file: "model.tflite", endpoint: "serving_default",
      weights: "float32", worst_difference: { probabilities: 0, embedding: 0 },
      worst_share_of_rms: 0, rms_share: 0 } },
    classes: all,
    front_end: manifest.front_end,
    ...(manifest.input_contract ? { input_contract: manifest.input_contract } : {}),
    unknown: { class: UNKNOWN, score: "familiarity: cosine between the embedding and that of the "
      + "nearest example", threshold: head.threshold, calibration: "95 % of the clips pass, each "
      + "compared with the others", share_of_known_that_pass: 0.95 },
    licence: manifest.licence,
    data_licence: `Clips: your own. Base: ${manifest.data_licence}`,
    provenance: "Made in the teach room of `zoo studio`.",
    files: {},
  };
}

/** What was chosen and why, in words. */
export function sentence({ kind, accuracy }) {
  const listed = accuracy.map(([name, value]) => `${name} ${Math.round(100 * value)}%`).join(", ");
  return `head: ${kind}, chosen on clips left out (${listed})`;
}

function card({ name, description, limits, classes, licence }) {
  return [`# ${name}`, "", description, "", `Classes: ${classes.join(", ")}. Licence: ${licence}.`, "",
    "## Limits", "", ...limits.map((each) => `- ${each}`), "", "## Use", "", "```bash",
    `python -m zoo predict ${name} recording.wav`, `python -m zoo.edge ${name} recording.wav`, "```",
    ""].join("\n");
}
