// Loading paths: strain over time as straight pieces between knots, and steps of it.

const MAX_ROWS = 200000;

/** Paths by name; `amplitude` [-], `duration` [s], `side` 1 in tension alone, -1 in compression alone. */
export const SHAPES = {
  triangle: (amplitude, duration, side) => (side
    ? knots(duration, [0, 0.25, 0.5, 0.75, 1], [0, 1, 0, 1, 0], side * amplitude)
    : knots(duration, [0, 0.125, 0.375, 0.625, 0.875, 1], [0, 1, -1, 1, -1, 0], amplitude)),
  hold: (amplitude, duration, side) => knots(
    duration, [0, 0.1, 1], [0, 1, 1], (side || 1) * amplitude),
  staircase: (amplitude, duration, side) => knots(
    duration, [0, 0.04, 0.2, 0.24, 0.4, 0.44, 0.6, 0.64, 0.8, 0.84, 1],
    [0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1, 1, 2 / 3, 2 / 3, 1 / 3, 1 / 3], (side || 1) * amplitude),
};

function knots(duration, times, shares, amplitude) {
  return { time: times.map((each) => each * duration), strain: shares.map((each) => each * amplitude) };
}

/** Strain at a time; before the first and after the last knot it is theirs. */
export function strainAt({ time, strain }, at) {
  let high = time.length - 1;
  if (at >= time[high]) return strain[high];
  if (at <= time[0]) return strain[0];
  let low = 0;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (time[middle] <= at) low = middle;
    else high = middle;
  }
  const share = (at - time[low]) / (time[high] - time[low]);
  return strain[low] + share * (strain[high] - strain[low]);
}

/**
 * Steps of equal length along a path that begins at strain 0 at time 0.
 *
 * Returns { dt, time, strain, rate }: of each step its end, the strain there, the strain rate in it.
 */
export function steps(path, dt) {
  const count = Math.max(1, Math.round(path.time[path.time.length - 1] / dt));
  const [time, strain, rate] = [0, 0, 0].map(() => new Float64Array(count));
  let before = 0;
  for (let k = 0; k < count; k++) {
    time[k] = (k + 1) * dt;
    strain[k] = strainAt(path, time[k]);
    rate[k] = (strain[k] - before) / dt;
    before = strain[k];
  }
  return { dt, time, strain, rate };
}

/** The same steps, each cut into two; strain runs straight within a step. */
export function halved({ dt, time, strain, rate }) {
  const fine = { dt: dt / 2 };
  fine.time = Float64Array.from({ length: 2 * time.length }, (_, k) => (k + 1) * fine.dt);
  fine.strain = Float64Array.from(fine.time, (_, k) =>
    k % 2 ? strain[k >> 1] : strain[k >> 1] - rate[k >> 1] * fine.dt);
  fine.rate = Float64Array.from(fine.time, (_, k) => rate[k >> 1]);
  return fine;
}

/** First step in which two lists of steps differ. */
export function firstDifference(one, other) {
  if (one.dt !== other.dt) return 0;
  const end = Math.min(one.strain.length, other.strain.length);
  let k = 0;
  while (k < end && one.strain[k] === other.strain[k] && one.rate[k] === other.rate[k]) k++;
  return k;
}

/**
 * A path from the text of a CSV file: a column of time [s] and one of strain [-] or stretch [-].
 * Of two columns, one is time and the other the loading, whatever its name.
 *
 * Columns are found by their titles; without titles, the first two are time and strain. Returns
 * { path, note }; throws an Error of one line for anything else.
 */
export function readCsv(text) {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() && !line.startsWith("#"));
  if (lines.length < 2) throw new Error("Expected at least two rows of time and strain.");
  if (lines.length > MAX_ROWS) throw new Error(`Expected at most ${MAX_ROWS} rows.`);
  const separator = [";", "\t", ","].find((each) => lines[0].includes(each)) ?? /\s+/;
  const cells = lines.map((line) => line.trim().split(separator).map((cell) => cell.trim()));
  const toNumber = (cell) => Number(separator === ";" ? cell?.replace(",", ".") : cell);
  const titled = cells[0].some((cell) => cell === "" || Number.isNaN(toNumber(cell)));
  const [timeAt, strainAtColumn, isStretch, unit] = columns(titled ? cells[0] : null);
  const rows = cells.slice(titled ? 1 : 0).map((row, k) => {
    const values = [toNumber(row[timeAt]), toNumber(row[strainAtColumn])];
    if (!values.every(Number.isFinite) || row[timeAt] === "" || row[strainAtColumn] === "") {
      throw new Error(`Row ${k + 1}: expected numbers for time and strain.`);
    }
    return values;
  });
  return toPath(rows, isStretch, unit);
}

function columns(titles) {
  if (!titles) return [0, 1, false, 1];
  const find = (words) => titles.findIndex((title) => words.test(title));
  const time = find(/^"?t(ime)?\b/i);
  const strain = find(/strain|dehnung|^"?eps/i);
  const stretch = find(/stretch|lambda/i);
  const only = titles.length === 2 ? 1 - time : -1; // such as a force
  const at = [strain, stretch, only].find((each) => each >= 0) ?? -1;
  if (time < 0 || at < 0) {
    throw new Error("Expected columns named time and strain (or stretch) in the first row.");
  }
  const percent = /%|percent/i.test(titles[at]);
  return [time, at, at === stretch, percent ? 0.01 : 1];
}

function toPath(rows, isStretch, unit) {
  const start = rows[0][0];
  const path = {
    time: rows.map((row) => row[0] - start),
    strain: rows.map((row) => row[1] * unit - (isStretch ? 1 : 0)),
  };
  const late = path.time.findIndex((each, k) => k > 0 && !(each > path.time[k - 1]));
  if (late >= 0) throw new Error(`Row ${late + 1}: expected times that rise.`);
  const notes = [`${rows.length} rows over ${Number(path.time.at(-1).toPrecision(3))} s`];
  if (isStretch) notes.push("stretch converted to strain, λ − 1");
  if (Math.abs(path.strain[0]) > 1e-9) {
    notes.push(`it begins at strain ${Number(path.strain[0].toPrecision(3))}, reached within the first step`);
  }
  return { path, note: `${notes.join("; ")}.` };
}
