// ZIP archives and NumPy's files, without compression.

const TABLE = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  TABLE[n] = value;
}

function checksum(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Bytes of a ZIP archive of [name, bytes] pairs; names are in UTF-8. */
export function zip(files) {
  const parts = [];
  const directory = [];
  let at = 0;
  const add = (list, bytes) => list.push(bytes);
  for (const [name, content] of files) {
    const path = new TextEncoder().encode(name);
    const [sum, size] = [checksum(content), content.length];
    // version, flag of UTF-8, stored, 1980-01-01 as time and date
    const common = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 33], [4, sum], [4, size], [4, size],
      [2, path.length], [2, 0]];
    const local = fields([[4, 0x04034b50], ...common]);
    add(directory, fields([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0],
      [4, at]]));
    add(directory, path);
    for (const each of [local, path, content]) {
      add(parts, each);
      at += each.length;
    }
  }
  const length = directory.reduce((sum, each) => sum + each.length, 0);
  const count = files.length;
  const end = fields([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, length], [4, at],
    [2, 0]]);
  return joinBytes([...parts, ...directory, end]);
}

function fields(pairs) {
  const bytes = new Uint8Array(pairs.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of pairs) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

/** Bytes, one after the other. */
export function joinBytes(parts) {
  const result = new Uint8Array(parts.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of parts) {
    result.set(each, at);
    at += each.length;
  }
  return result;
}

/** Bytes of a .npy file of float32 rows of one length. */
export function npyOfRows(rows) {
  const values = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, k) => values.set(row, k * row.length));
  return npy("<f4", `(${rows.length}, ${rows[0].length})`, new Uint8Array(values.buffer));
}

/** Bytes of a .npy file of texts. */
export function npyOfTexts(texts) {
  const letters = texts.map((text) => [...text]);
  const width = Math.max(1, ...letters.map((each) => each.length));
  const values = new Uint32Array(texts.length * width);
  letters.forEach((each, k) => each.forEach((letter, j) => {
    values[k * width + j] = letter.codePointAt(0);
  }));
  return npy(`<U${width}`, `(${texts.length},)`, new Uint8Array(values.buffer));
}

function npy(type, shape, data) {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((text.length + 11) / 64) * 64 - 10;
  const head = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8);
  return joinBytes([magic, head, data]);
}
