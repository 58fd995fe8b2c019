// WAV files, read by the same arithmetic as zoo.edge.capture, and written with 24 bits.

/** Sound of a WAV file: { rateHz, channels }; null for another kind of file. */
export function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE") return null;
  let format = null;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (tag(at) === "fmt ") format = readFormat(view, start, size);
    if (tag(at) === "data") {
      if (!format) throw new Error("A WAV file whose header does not come first.");
      const isOpen = size === 0xffffffff || size === 0; // a recorder never closed it
      const end = isOpen ? bytes.length : start + size;
      if (end > bytes.length) {
        throw new Error("The file was cut short: it does not hold the sound that it declares.");
      }
      return decode(view, start, end, format);
    }
    at = start + size + (size % 2);
  }
  throw new Error("A WAV file without sound.");
}

function readFormat(view, at, size) {
  let code = view.getUint16(at, true);
  if (code === 0xfffe && size >= 40) code = view.getUint16(at + 24, true); // extensible
  const [channels, rateHz] = [view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
  const bits = view.getUint16(at + 14, true);
  if (![1, 3].includes(code) || !channels || !rateHz) {
    throw new Error("Expected a WAV file of integers or floating point. Convert the file.");
  }
  return { isFloat: code === 3, channels, rateHz, width: Math.ceil(bits / 8) };
}

function decode(view, start, end, { isFloat, channels, rateHz, width }) {
  const read = isFloat ? FLOATS[width] : INTEGERS[width];
  if (!read) throw new Error(`A WAV file of ${8 * width} bits is not read. Convert it.`);
  const frames = Math.floor((end - start) / (width * channels));
  return {
    rateHz,
    channels: Array.from({ length: channels }, (_, channel) =>
      Float32Array.from({ length: frames }, (__, n) =>
        read(view, start + (n * channels + channel) * width))),
  };
}

const FLOATS = {
  4: (view, at) => view.getFloat32(at, true),
  8: (view, at) => view.getFloat64(at, true),
};
const INTEGERS = {
  1: (view, at) => (view.getUint8(at) - 128) / 128,
  2: (view, at) => view.getInt16(at, true) / 32768,
  3: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) / 8388608,
  4: (view, at) => Math.fround(view.getInt32(at, true)) / 2147483648,
};

/** Bytes of a WAV file of 24 bits; what lies beyond full scale is clipped. */
export function writeWav(channels, rateHz) {
  const frames = channels[0].length;
  const size = 3 * channels.length * frames;
  const bytes = new Uint8Array(44 + size + (size % 2));
  const view = new DataView(bytes.buffer);
  const text = (at, word) => [...word].forEach((letter, k) => { bytes[at + k] = letter.charCodeAt(0); });
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, 3 * channels.length * rateHz, true);
  view.setUint16(32, 3 * channels.length, true);
  view.setUint16(34, 24, true);
  text(36, "data");
  view.setUint32(40, size, true);
  let at = 44;
  for (let n = 0; n < frames; n++) {
    for (const each of channels) {
      const value = Math.round(Math.min(8388607, Math.max(-8388608, (each[n] || 0) * 8388608)));
      bytes[at++] = value & 255;
      bytes[at++] = (value >> 8) & 255;
      bytes[at++] = (value >> 16) & 255;
    }
  }
  return bytes;
}

/** Runs of equal names as Audacity's labels: start, end and name, separated by tabs. */
export function audacityLabels(names, stepS) {
  const lines = [];
  let start = 0;
  for (let k = 1; k <= names.length; k++) {
    if (k < names.length && names[k] === names[start]) continue;
    const times = [start, k].map((n) => (n * stepS).toFixed(6));
    if (names[start] !== null) lines.push(`${times.join("\t")}\t${names[start]}\n`);
    start = k;
  }
  return lines.join("");
}
