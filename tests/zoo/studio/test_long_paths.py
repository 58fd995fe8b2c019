"""Pictures of long paths, and of values that are not finite; in Node."""

from tests.zoo.studio.node import run_module

MAIN = """import { PathPad } from "./pathpad.js";
import { extent } from "./plot.js";
const answer = (rows) => {
  const strain = Array.from({ length: rows }, (_, k) => k / rows);
  const pad = Object.create(PathPad.prototype);
  let range = null;
  Object.assign(pad, { shape: "long.csv", path: { time: strain, strain },
    limits: { largest: 0.5, side: 1, duration: 1 },
    plot: { draw: ({ yRange }) => { range = yRange; }, describe() {} } });
  pad.draw();
  return [range, extent([[1, Infinity, NaN, -Infinity, 3]], 0)];
};
"""


def test_a_path_of_as_many_rows_as_a_file_may_have_is_drawn(tmp_path):
    rows = 200_000
    (low, high), finite = run_module(MAIN, tmp_path, rows)
    assert high == (rows - 1) / rows and low == -0.05 * high
    assert finite == [1, 3]
