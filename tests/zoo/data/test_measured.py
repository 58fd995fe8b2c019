"""A user's own tests: what is read, what is made of it, and what is refused in one line."""

import csv
import errno
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp, trapezoid

from zoo.data.columns import Columns
from zoo.data.maxwell import Material, stress_response
from zoo.data.measured import read_csv, split_by_group, split_by_time
from zoo.tables import text

ROWS = 24
TIME = 0.1 * np.arange(ROWS) + 0.02 * ((np.arange(ROWS) + 1) % 3)
STRAIN = np.sin(TIME)
STRESS = np.cos(TIME) + 0.25


def table(header="time_s,strain,stress_mpa", separator=",", rows=ROWS) -> list[str]:
    lines = [header.replace(",", separator)]
    for numbers in list(zip(TIME, STRAIN, STRESS, strict=True))[:rows]:
        lines.append(separator.join(f"{number:.6f}" for number in numbers))
    return lines


@pytest.fixture
def write(tmp_path):
    def write(lines, newline="\n", encoding="utf-8") -> Path:
        path = tmp_path / "test.csv"
        text = lines if isinstance(lines, bytes) else newline.join(lines).encode(encoding)
        path.write_bytes(text)
        return path

    return write


def refusal(path, cycles=0, **columns) -> str:
    with pytest.raises(ValueError) as caught:
        read_csv(path, Columns(**columns), cycles=cycles)
    return one_line(path, caught.value)


def one_line(path, error) -> str:
    message = str(error)
    assert message.splitlines() == [message], "an error is one line"
    assert message.startswith(str(path)), "an error names the file"
    assert message.endswith("."), "an error ends in a cure"
    return message.removeprefix(str(path))


# What is read


def test_inputs_are_strain_rate_and_step_and_the_target_is_stress(write):
    data = read_csv(write(table()))
    assert data.x.shape == (1, ROWS, 3) and data.x.dtype == np.float32
    assert data.y.shape == (1, ROWS, 1) and data.y.dtype == np.float32
    assert [quantity.name for quantity in data.inputs] == ["strain", "rate", "dt"]
    strain, rate, dt = np.moveaxis(data.x[0], -1, 0)
    np.testing.assert_allclose(strain, STRAIN, atol=1e-6)
    np.testing.assert_allclose(data.y[0, :, 0], STRESS, atol=1e-6)
    np.testing.assert_allclose(dt[1:], TIME[1:] - TIME[:-1], rtol=1e-5)
    np.testing.assert_allclose(
        rate[1:], (STRAIN[1:] - STRAIN[:-1]) / (TIME[1:] - TIME[:-1]), atol=3e-5
    )
    assert rate[0] == 0 and dt[0] == dt[1], "at rest before the first row"
    np.testing.assert_array_equal(data.weight, 1)


@pytest.mark.parametrize(
    "header",
    (
        "t,strain,stress",
        "Time,Stretch,Stress",
        "TIME [s],lambda [-],sigma [MPa]",
        "time(s),eps,tau(kPa)",
        "t_s,gamma,tau_pa",
        "t,λ,σ",
        " time , strain , stress ",
        '"time","strain","stress"',
    ),
)
def test_columns_are_found_by_usual_names(write, header):
    data = read_csv(write(table(header)))
    np.testing.assert_allclose(data.x[0, :, 0], STRAIN, atol=1e-6)
    np.testing.assert_allclose(data.y[0, :, 0], STRESS, atol=1e-6)


def test_columns_are_found_by_the_names_given_in_any_order(write):
    path = write(table("clock,stress,strain"))
    data = read_csv(path, Columns(time="clock", stretch="stress", stress="strain"))
    np.testing.assert_allclose(data.x[0, :, 0], STRAIN, atol=1e-6)
    np.testing.assert_allclose(data.y[0, :, 0], STRESS, atol=1e-6)


def test_a_name_given_settles_what_is_ambiguous(write):
    path = write(
        [
            line + (",strain_b" if k == 0 else f",{-STRAIN[k - 1]:.6f}")
            for k, line in enumerate(table())
        ]
    )
    np.testing.assert_allclose(
        read_csv(path, Columns(stretch="strain_b")).x[0, :, 0], -STRAIN, atol=1e-6
    )


@pytest.mark.parametrize(
    ("title", "unit"),
    (
        ("stress_pa", "Pa"),
        ("stress_kPa", "kPa"),
        ("Stress [MPa]", "MPa"),
        ("sigma (kPa)", "kPa"),
        ("stress [mPa]", "mPa"),
        ("stress", "-"),
        ("stress_true", "-"),
    ),
)
def test_the_unit_behind_a_name_is_kept(write, title, unit):
    (target,) = read_csv(write(table(f"time,strain,{title}"))).targets
    assert (target.name, target.unit) == ("stress", unit)


@pytest.mark.parametrize("separator", (",", ";", "\t"))
@pytest.mark.parametrize("newline", ("\n", "\r\n", "\r"))
@pytest.mark.parametrize("encoding", ("utf-8", "utf-8-sig"))
def test_the_same_table_in_any_dress_reads_the_same(write, separator, newline, encoding):
    plain = read_csv(write(table()))
    lines = table(separator=separator)
    lines[5:5] = ["", separator * 2, "   "]
    dressed = read_csv(write(["", *lines, "", ""], newline, encoding))
    np.testing.assert_array_equal(dressed.x, plain.x)
    np.testing.assert_array_equal(dressed.y, plain.y)


def test_quoted_cells_and_cells_beyond_the_columns_are_read(write):
    lines = ['"time_s","strain","stress, true","note"']
    lines += [f'"{row.split(",")[0]}",{row.split(",", 1)[1]},"a, ""b"""' for row in table()[1:]]
    data = read_csv(write(lines))
    np.testing.assert_allclose(data.y[0, :, 0], STRESS, atol=1e-6)


def test_empty_cells_behind_the_last_column_do_no_harm(write):
    data = read_csv(write([table()[0], *(f"{line},," for line in table()[1:])]))
    assert data.x.shape == (1, ROWS, 3)


# Specimens


def specimens(sizes) -> list[str]:
    lines = ["specimen,time,strain,stress"]
    for label, rows in sizes.items():
        lines += [f"{label},{line}" for line in table(rows=rows)[1:]]
    return lines


def test_each_specimen_is_a_path_and_shorter_ones_are_padded_by_a_hold(write):
    data = read_csv(write(specimens({"b": 24, "a": 20})), Columns(group="specimen"))
    assert list(data.groups) == ["b", "a"]
    np.testing.assert_array_equal(data.weight.sum(axis=1), [24, 20])
    np.testing.assert_array_equal(data.weight[1], np.arange(24) < 20)
    np.testing.assert_array_equal(data.x[1, :20], data.x[0, :20])
    strain, rate, dt = data.x[1, 20:].T
    assert (strain == data.x[1, 19, 0]).all() and (rate == 0).all() and (dt > 0).all()


def test_rows_of_specimens_may_alternate(write):
    together = specimens({"a": 24, "b": 24})
    mixed = [
        together[0],
        *(line for pair in zip(together[1:25], together[25:], strict=True) for line in pair),
    ]
    first = read_csv(write(together), Columns(group="specimen"))
    second = read_csv(write(mixed), Columns(group="specimen"))
    np.testing.assert_array_equal(first.x, second.x)


@given(
    count=st.integers(3, 12), parts=st.integers(1, 3), seed=st.integers(0, 2**31), data=st.data()
)
@settings(max_examples=60, deadline=None)
def test_splitting_by_group_leaks_no_specimen_and_loses_none(count, parts, seed, data):
    share = data.draw(st.lists(st.floats(0.01, 1), min_size=parts, max_size=parts))
    share = np.array(share) / sum(share)
    split = many(count)
    dealt = split_by_group(split, share, seed)
    groups = [set(part.groups) for part in dealt]
    assert all(groups), "every part gets a specimen"
    assert sum(map(len, groups)) == len(set.union(*groups)) == count
    assert sum(len(part.x) for part in dealt) == len(split.x)
    for part in dealt:
        np.testing.assert_array_equal(part.x[:, 0, 0], part.groups), "arrays go with their groups"


def many(count):
    """Two paths a specimen; the first strain is the specimen's number."""
    from zoo.data.hysteresis import INPUTS, TARGETS
    from zoo.data.split import Split

    groups = np.tile(np.arange(count), 2)
    x = np.zeros((2 * count, 4, 3), np.float32)
    x[:, 0, 0] = groups
    return Split("many", x, np.zeros((2 * count, 4, 1), np.float32), INPUTS, TARGETS, groups)


def test_splitting_by_group_keeps_shares_and_follows_the_seed():
    train, _ = split_by_group(many(100), (0.8, 0.2), seed=3)
    assert abs(len(set(train.groups)) - 80) <= 1
    again, _ = split_by_group(many(100), (0.8, 0.2), seed=3)
    np.testing.assert_array_equal(train.groups, again.groups)
    other, _ = split_by_group(many(100), (0.8, 0.2), seed=4)
    assert set(train.groups) != set(other.groups)


@pytest.mark.parametrize(
    ("count", "shares", "counts"),
    [
        (10, (0.8, 0.2), [8, 2]),
        (5, (0.8, 0.2), [4, 1]),
        (4, (0.8, 0.2), [3, 1]),
        (2, (0.8, 0.2), [1, 1]),
        (10, (0.5, 0.25, 0.25), [5, 3, 2]),
        (3, (0.98, 0.01, 0.01), [1, 1, 1]),
        (7, (1 / 3, 1 / 3, 1 / 3), [3, 2, 2]),
    ],
)
def test_few_specimens_are_split_as_stated(count, shares, counts):
    parts = split_by_group(many(count), shares)
    assert [len(set(part.groups)) for part in parts] == counts


@pytest.mark.parametrize("shares", ((0.8, 0.1), (1.2, -0.2), (math.nan, 1.0), (1.0, 0.0)))
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="positive and add up to 1"):
        split_by_group(many(5), shares)


def test_one_specimen_cannot_be_dealt_to_two():
    with pytest.raises(ValueError, match=r"at least 2 of them\. Received: 1"):
        split_by_group(many(1), (0.8, 0.2))


def test_splitting_by_time_shares_every_specimens_rows_by_weight(write):
    data = read_csv(write(specimens({"a": 24, "b": 20})), Columns(group="specimen"))
    first, rest = split_by_time(data, 0.75)
    np.testing.assert_array_equal(first.weight[0], np.arange(24) < 18)
    np.testing.assert_array_equal(first.weight[1], np.arange(24) < 15)
    np.testing.assert_array_equal(first.weight + rest.weight, data.weight)
    np.testing.assert_array_equal(first.x, data.x), "both keep the whole loading"
    np.testing.assert_array_equal(rest.x, data.x)


def test_splitting_by_time_counts_no_start_up(write):
    lines = cyclic(*sine_loop(phase=0.4, periods=2))
    data = read_csv(write(lines), cycles=3)
    first, rest = split_by_time(data, 0.5)
    startup = int(np.argmax(data.weight[0] > 0))
    assert startup > 0 and not first.weight[0, :startup].any()
    assert first.weight.sum() == rest.weight.sum() == data.weight.sum() / 2


@pytest.mark.parametrize("share", (0.0, 1.0, -1.0, math.nan))
def test_a_share_of_time_lies_between_none_and_all(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        split_by_time(many(2), share)


# Start-up

OMEGA = 2 * np.pi / 3.0


def sine_loop(phase, periods, per_period=400):
    """The steady loop of a linear solid, E = τ = 1, in closed form."""
    t = 3.0 / per_period * np.arange(periods * per_period)
    angle = OMEGA * t + phase
    stress = OMEGA / (1 + OMEGA**2) * (np.cos(angle) + OMEGA * np.sin(angle))
    return t, np.sin(angle), stress


def cyclic(t, strain, stress) -> list[str]:
    rows = zip(t, strain, stress, strict=True)
    return ["time,strain,stress", *(",".join(map(repr, map(float, row))) for row in rows)]


def exact_stress(data, exponent):
    """What the true law says to the loading that was read, at rest before it."""
    x = data.x.astype(np.float64)
    return stress_response(x[..., 1], x[..., 2], Material(exponent=exponent))[0]


@pytest.mark.parametrize("per_period", (400, 377.7))
@pytest.mark.parametrize("phase", (0.0, 0.4, 2.0, 3.5, 5.0))
def test_start_up_cycles_reach_the_steady_loop_of_a_linear_solid(write, phase, per_period):
    path = write(cyclic(*sine_loop(phase, 2, per_period)))
    data = read_csv(path, cycles=5)
    counted = data.weight[0] > 0
    rows = int(np.ceil(2 * per_period))
    assert counted.sum() == rows and counted[-rows:].all()
    # After five periods of 3 relaxation times e^(-15) is left; the chords of a sine add 1e-4.
    error = np.abs(exact_stress(data, 1.0) - data.y[0, :, 0])
    assert error[counted].max() < 3e-4
    alone = read_csv(path)
    assert np.abs(exact_stress(alone, 1.0) - alone.y[0, :, 0])[0] == pytest.approx(
        abs(float(alone.y[0, 0, 0])), rel=1e-6
    ), "without them the solid starts from rest"


def test_start_up_cycles_reach_the_steady_loop_of_a_power_law_solid(write):
    """A triangle of rate ±2 and period 2 s, from the middle of its rise on, solved by Radau.

    What is left of the start falls by exp(−3 ∫ s² dt) a cycle: the solid's own memory.
    """
    dt, rates = 0.04, 2.0 * np.resize(np.repeat([1, -1, 1], (5, 25, 20)), 420)
    stress = [0.0]
    for rate in rates:
        law = solve_ivp(
            lambda _, s, rate=rate: rate - s**3,
            (0, dt),
            stress[-1:],
            "Radau",
            rtol=1e-9,
            atol=1e-11,
        )
        stress.append(law.y[0, -1])
    strain = np.cumsum(np.r_[0.3, rates * dt])
    path = write(cyclic(dt * np.arange(120), strain[300:420], stress[300:420]))
    errors = {}
    for cycles in (0, 2, 4):
        data = read_csv(path, cycles=cycles)
        errors[cycles] = np.abs(exact_stress(data, 3.0) - data.y[0, :, 0])[data.weight[0] > 0].max()
    memory = np.exp(-3 * trapezoid(np.square(stress[300:351]), dx=dt))
    assert errors[0] > 0.5 and errors[4] < 5e-4
    assert errors[4] / errors[2] == pytest.approx(memory**2, rel=0.05)


@pytest.mark.parametrize("direction", (1, -1))
@pytest.mark.parametrize("per_period", (20, 100, 250))
def test_a_sample_on_the_seam_makes_no_step_of_no_length(write, direction, per_period):
    """sin(2πk/N) misses zero by rounding where the loop closes."""
    t = np.arange(3 * per_period) / per_period
    strain = direction * np.sin(2 * np.pi * t)
    data = read_csv(write(cyclic(t, strain, np.cos(t))), cycles=3)
    dt = data.x[0, :, 2] * per_period
    assert dt.min() > 0.49 and dt.max() < 1.51
    startup = int((data.weight == 0).sum())
    assert data.x[0, 1:startup, 2].sum() + data.x[0, startup, 2] == pytest.approx(3, rel=1e-5)


def test_start_up_keeps_the_loading_continuous(write):
    data = read_csv(write(cyclic(*sine_loop(0.4, periods=2, per_period=37))), cycles=2)
    strain, rate, dt = np.moveaxis(data.x[0].astype(float), -1, 0)
    np.testing.assert_allclose(strain[1:], strain[:-1] + rate[1:] * dt[1:], atol=1e-6)


def test_a_strain_that_is_held_has_no_cycle_to_repeat(write):
    """It is loaded in the first step, and its stress relaxes; nothing of it turns round."""
    t = np.arange(50) / 10
    path = write(cyclic(t, np.full(50, 0.01), 2 + np.exp(-t)))
    assert read_csv(path).x[0, 0, 1] > 0
    assert "no cycle to repeat. Leave out --cycles." in refusal(path, cycles=2)


def test_files_of_one_name_in_two_folders_are_two_specimens(tmp_path):
    paths = [tmp_path / folder / "test.csv" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("\n".join(table()))
    assert len(set(read_csv(paths).groups)) == 2
    with pytest.raises(ValueError, match=r"test.csv is named twice\. Name each file once\."):
        read_csv([paths[0], paths[0]])


def test_a_hold_before_the_cycle_does_not_hide_it(write):
    t = np.arange(50) / 10
    strain = np.sin(np.maximum(t - 0.45, 0) * 3)
    data = read_csv(write(cyclic(t, strain, np.cos(t))), cycles=1)
    assert (data.weight == 0).sum() > 20


def test_a_ramp_has_no_cycle_to_repeat(write):
    t = np.arange(30) / 100
    assert "no cycle to repeat" in refusal(write(cyclic(t, t, t)), cycles=1)


def test_each_specimen_has_its_own_start_up(write):
    slow = cyclic(*sine_loop(0.4, periods=2, per_period=30))[1:]
    fast = cyclic(*sine_loop(0.4, periods=2, per_period=50))[1:]
    lines = ["time,strain,stress,s", *(f"{x},a" for x in slow), *(f"{x},b" for x in fast)]
    data = read_csv(write(lines), Columns(group="s"), cycles=2)
    np.testing.assert_array_equal(data.weight.sum(axis=1), [60, 100])
    np.testing.assert_array_equal(np.argmax(data.weight > 0, axis=1), [60, 100])


@pytest.mark.parametrize("cycles", (-1, 1001))
def test_cycles_have_a_range(write, cycles):
    with pytest.raises(ValueError, match=f"between 0 and 1000. Received: {cycles}"):
        read_csv(write(table()), cycles=cycles)


# What is refused


def broken(number, line):
    """The good table with line `number` (1 is the header) replaced."""
    lines = table()
    lines[number - 1] = line
    return lines


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.csv")
    assert "not a file" in refusal(tmp_path)
    assert "no such file" in refusal(tmp_path / "test.csv" / "deeper.csv")
    with pytest.raises(ValueError, match="cannot be read"):
        read_csv(tmp_path / ("long" * 200))


def test_a_file_that_may_not_be_read_is_refused(write, monkeypatch):
    path = write(table())

    def forbidden(self):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert "cannot be read, Permission denied" in refusal(path)


@pytest.mark.parametrize("content", (b"", b"\n\n", b"\xef\xbb\xbf", b",,\n , ,\n"))
def test_an_empty_file_is_refused(write, content):
    assert "line 1: the file is empty" in refusal(write(content))


def test_a_header_alone_is_refused(write):
    assert "line 1: no data below the header" in refusal(write(table()[:1]))


@pytest.mark.parametrize(
    ("header", "message"),
    (
        ("clock,strain,stress", "no column looks like time. Name it by --time COLUMN"),
        ("time,length,stress", "no column looks like stretch. Name it by --stretch COLUMN"),
        ("time,strain,load", "no column looks like stress. Name it by --stress COLUMN"),
        ("time,strain,gamma", "more than one column looks like stretch"),
        ("time,stress_a,stress_b", "no column looks like stretch"),
        ("0.1,0.2,0.3", "numbers, expected a header line above them"),
        ("time [parsec],strain,stress", "time is in 'parsec', which is not known"),
        ("time,strain (mm),stress", "'strain (mm)' is a length [mm], expected a strain"),
    ),
)
def test_a_header_that_does_not_say_is_refused(write, header, message):
    error = refusal(write(table(header)))
    assert error.startswith(f", line 1: {message}")
    if "column looks" in error:
        assert all(repr(title) in error for title in header.split(",")), "says what there is"


def test_a_column_asked_for_must_be_there_once_and_for_one_purpose(write):
    path = write(table("time,strain,stress"))
    assert "no column called 'load'" in refusal(path, stress="load")
    assert "no column called 'kind'" in refusal(path, group="kind")
    assert "one column serves as two" in refusal(path, stress="strain")
    path = write([f"{line},{'strain' if k == 0 else k}" for k, line in enumerate(table())])
    assert "more than one column called 'strain'" in refusal(path, stretch="strain")


def test_lines_are_counted_as_an_editor_counts_them(write):
    lines = ["", *broken(4, "0.3,x,1"), ""]
    assert ", line 5: stretch is 'x'" in refusal(write(lines))
    lines = table()
    lines[1] += ',"two\nlines"'
    lines[0] += ",note"
    lines[5] = "1,2,x"
    assert ", line 7: stress is 'x'" in refusal(write(lines))


@pytest.mark.parametrize(
    ("cell", "message"),
    (
        ("broken", "'broken', expected a number. Correct or remove the line."),
        ("", "nothing, expected a number"),
        ("1 2", "'1 2', expected a number"),
        ("1_000", "'1_000', expected a number"),
        ("0x1f", "'0x1f', expected a number"),
        ("１２", "'１２', expected a number"),
        ("1\x07", r"'1\x07', expected a number"),
        ('"0,5"', "'0,5', expected a number. Write decimals with a point."),
        ('"a\nb"', r"'a\nb', expected a number"),
        ("nan", "'nan', expected a finite number"),
        ("inf", "'inf', expected a finite number"),
        ("-Infinity", "'-Infinity', expected a finite number"),
        ("1e300", "'1e300', expected a finite number up to 1e+15"),
        ("-1e39", "'-1e39', expected a finite number up to 1e+15"),
        ("1e999", "'1e999', expected a finite number"),
        ("9" * 5000, "expected a finite number up to 1e+15"),
    ),
)
@pytest.mark.parametrize("role", ("time", "stretch", "stress"))
def test_a_cell_that_is_no_number_is_refused(write, role, cell, message):
    cells = ["0.75", "0.3", "0.4"]
    cells[("time", "stretch", "stress").index(role)] = cell
    error = refusal(write(broken(9, ",".join(cells))))
    assert error.startswith(f", line 9: {role} is ") and message in error
    assert len(error) < 250


def test_decimal_commas_between_commas_are_refused(write):
    lines = [table()[0], *(line.replace(".", ",") for line in table()[1:])]
    answer = refusal(write(lines))
    assert "line 2: 6 cells, expected 3 as in the header" in answer
    assert "separate cells by semicolons" in answer


@pytest.mark.parametrize("row", ("0.75,0.3", "0.75", "0.75,0.3,0.4,0.5"))
def test_a_row_of_another_width_is_refused(write, row):
    error = refusal(write(broken(9, row)))
    assert error.startswith(f", line 9: {row.count(',') + 1} cells, expected 3")


@pytest.mark.parametrize("time", ("0.6", "0.1", "-5"))
def test_time_that_does_not_increase_is_refused(write, time):
    lines = table()
    lines[7:9] = ["0.65,0.6,0.9", f"{time},0.3,0.4"]
    error = refusal(write(lines))
    assert error.startswith(", line 9: time does not increase") and "Sort the rows" in error


def test_strain_may_not_jump_in_no_time(write):
    lines = table("time,strain [-],stress")
    lines[7:9] = ["0.65,0.6,0.9", "0.65,9.3,0.4"]
    assert refusal(write(lines)).startswith(", line 9: time does not increase, 0.65 s after 0.65")


def test_rows_at_one_time_are_averaged_and_identical_rows_dropped(write):
    lines = table()
    lines[9:9] = [lines[8], lines[8]]
    time, strain, stress = map(float, lines[11].split(","))
    lines[12:12] = [f"{time},{strain + 0.01},{stress + 0.5}"]
    data = read_csv(write(lines))
    assert data.x.shape == (1, ROWS, 3)
    assert data.x[0, 8, 0] == pytest.approx(strain + 0.005, abs=1e-6)
    assert data.y[0, 8, 0] == pytest.approx(stress + 0.25, abs=1e-6)
    assert "2 identical rows dropped" in data.notes
    assert "1 row at a repeated time averaged with the row before" in data.notes


def test_time_may_begin_again_with_another_specimen_only(write):
    lines = specimens({"a": 24, "b": 24})
    lines[0] = lines[0].replace("specimen", "x")
    # a label that changes on the way tells no specimens apart; one that does not is read as theirs
    mixed = [*lines[:5], lines[5].replace("a", "c"), *lines[6:]]
    assert ", line 26: time does not increase" in refusal(write(mixed))
    assert len(read_csv(write(lines)).x) == 2
    lines[30] = lines[28]
    assert ", line 31: time of specimen 'b'" in refusal(write(lines), group="x")


def test_steps_that_float32_cannot_hold_are_refused(write):
    lines = ["time,strain,stress", *(f"{k}e-300,{k % 3},{k}" for k in range(30))]
    assert ", line 3: time grows by 1e-300 s" in refusal(write(lines))
    lines = table("time_s,strain_1,stress_mpa".replace("strain_1", "strain [-]"))
    lines[1:3] = ["0.000000001,0,1", "0.000000002,1e14,1"]
    assert ", line 3: time grows by 1e-09 s while strain changes by 1e+14" in refusal(write(lines))


def test_too_few_rows_are_refused(write):
    assert "line 20: the file has 19 rows, expected at least 20" in refusal(write(table(rows=19)))
    error = refusal(write(specimens({"a": 5, "b": 24})), group="specimen")
    assert error.startswith(", line 6: specimen 'a' has 5 rows")
    assert read_csv(write(table(rows=2)), min_rows=2).x.shape == (1, 2, 3)
    with pytest.raises(ValueError, match=r"`min_rows` must be 2 or more\. Received: 1"):
        read_csv(write(table()), min_rows=1)


@pytest.mark.parametrize("value", ("1.25", "1.000000000{0:02d}"))
@pytest.mark.parametrize("role", ("strain", "stress"))
def test_a_column_that_stands_still_is_refused(write, role, value):
    lines = [f"time,{'stress' if role == 'strain' else 'strain'},{role}"]
    lines += [f"{k},{k / 100},{value.format(k)}" for k in range(30)]
    role = "stretch" if role == "strain" else "stress"
    error = refusal(write(lines))
    assert error.startswith(f", line 2: the file has a constant {role}") and f"--{role}" in error


def test_a_row_without_its_specimen_is_refused(write):
    lines = specimens({"a": 24})
    lines[3] = lines[3].replace("a", "")
    assert "line 4: group is nothing" in refusal(write(lines), group="specimen")


def test_bytes_that_are_no_text_are_refused(write):
    raw = "\r\n".join(broken(7, "0.6,0.3,°")).encode("latin-1")
    assert ", line 7: stress is '°', expected a number" in refusal(write(raw))
    assert ", line 9: not text" in refusal(write(broken(9, "0.8,0.3\x00,1")))


@pytest.mark.parametrize("encoding", ("utf-16", "utf-16-le", "utf-16-be", "utf-32"))
def test_other_encodings_are_read(write, encoding):
    data = read_csv(write(table(), encoding=encoding))
    np.testing.assert_array_equal(data.x, read_csv(write(table())).x)
    assert any("UTF-" in note for note in data.notes)


@pytest.mark.parametrize("row", ('0.7,0.3,"0.4', '0.7,"0.3"1,0.4'))
def test_bad_quotes_are_refused_where_they_open(write, row):
    error = refusal(write(broken(9, row)))
    assert error.startswith(", line 9: ") and "Check the quotes" in error


def test_an_endless_cell_is_refused(write):
    error = refusal(write(broken(9, "1" * (csv.field_size_limit() + 1))))
    assert ", line 9: field larger than field limit" in error


JUNK = st.one_of(
    st.sampled_from(
        ("", "nan", "-inf", "1e300", "1e39", "-1e15", "1e-300", "0", "-1", "5", "1,5", "'", '"')
    ),
    st.sampled_from(('""', '"a', "\x00", "\ufeff", "a\nb", "\r", "\u2028", "\x85", ";", "\t", "٣")),
    st.floats().map(repr),
    st.text(max_size=8),
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("junk") / "test.csv"


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, ROWS), st.integers(0, 3), JUNK), max_size=4),
    separator=st.sampled_from(",;\t"),
    group=st.sampled_from((None, "specimen")),
    cycles=st.integers(0, 2),
)
def test_junk_in_any_cell_is_read_or_refused_in_one_line(
    scratch, changes, separator, group, cycles
):
    cells = [line.split(",") for line in specimens({"a": ROWS})]
    for row, column, junk in changes:
        cells[row][column] = junk
    text = "\n".join(separator.join(row) for row in cells)
    scratch.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        data = read_csv(scratch, Columns(group=group), cycles=cycles)
    except ValueError as error:
        one_line(scratch, error)
    else:
        assert np.isfinite(data.x).all() and np.isfinite(data.y).all()
        assert (data.x[..., 2] > 0).all() and data.weight.any(axis=1).all()


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 700), raw=st.binary(max_size=6), removed=st.integers(0, 40))
def test_junk_at_any_byte_is_read_or_refused_in_one_line(scratch, place, raw, removed):
    good = "\n".join(table()).encode()
    scratch.write_bytes(good[:place] + raw + good[place + removed :])
    try:
        data = read_csv(scratch)
    except ValueError as error:
        one_line(scratch, error)
    else:
        assert np.isfinite(data.x).all() and (data.x[..., 2] > 0).all()


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("time,stretch,stress\n0,0,0\n1,1,1\n2,2,2\n")
    monkeypatch.setattr(text, "MAX_BYTES", 20)
    with pytest.raises(ValueError, match="expected at most"):
        read_csv(path)
