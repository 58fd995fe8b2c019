"""Files as test machines and spreadsheets write them: the same numbers, or one line."""

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.measured import read_csv
from zoo.tables import Columns, decode, parse_table, read_tests
from zoo.tables.numbers import parse_clock, parse_number
from zoo.tables.titles import unit_in_title
from zoo.tables.units import convert_stress, find_unit

ROWS = 30
TIME = 0.25 * np.arange(ROWS)
STRAIN = 0.02 * np.sin(TIME)
STRESS = 5.5 + 100 * STRAIN


def text(header="time_s,strain,stress_mpa", columns=(TIME, STRAIN, STRESS), separator=","):
    rows = [separator.join(f"{value:.6f}" for value in row) for row in zip(*columns, strict=True)]
    return "\n".join([header, *rows, ""])


def read(content, **columns):
    raw = content if isinstance(content, bytes) else content.encode()
    tests = read_tests(parse_table(*reordered(decode(raw, "f.csv"))), Columns(**columns))
    return tests


def reordered(decoded):
    return decoded[0], "f.csv", decoded[1]


def refusal(content, **columns) -> str:
    with pytest.raises(ValueError) as caught:
        read(content, **columns)
    message = str(caught.value)
    assert message.splitlines() == [message] and message.startswith("f.csv, line ")
    return message


def check(tests, time=TIME, strain=STRAIN, stress=STRESS, note=""):
    (only,) = tests.series
    np.testing.assert_allclose(only.time_s, time, atol=2e-6)
    np.testing.assert_allclose(only.strain, strain, atol=2e-6)
    np.testing.assert_allclose(only.stress, stress, atol=2e-6)
    assert any(note in each for each in tests.notes) or not note, tests.notes


PLAIN = text()
HEAD, BODY = PLAIN.split("\n", 1)
GERMAN = text("Zeit_s;Dehnung;Spannung_MPa", separator=";").replace(".", ",")
LAYOUTS = {
    "decimal comma": (GERMAN, "decimal comma"),
    "decimal comma, tabs": (GERMAN.replace(";", "\t"), "decimal comma"),
    "decimal comma, blanks": (GERMAN.replace(";", "  "), "separated by blanks"),
    "decimal comma in quotes": (
        HEAD
        + "\n"
        + "\n".join(
            ",".join(f'"{cell}"'.replace(".", ",") for cell in row.split(","))
            for row in BODY.split()
        ),
        "decimal comma",
    ),
    "sep=;": ("sep=;\r\n" + PLAIN.replace(",", ";"), "semicolon"),
    "bar": (PLAIN.replace(",", " | "), "separated by bar"),
    "blanks": (PLAIN.replace(",", "   "), "separated by blanks"),
    "comments": ("# Instron 5966, 2024-05-02\n# operator: X\n" + PLAIN, "2 comment lines"),
    "header in a comment": ("# time_s strain stress_mpa\n" + BODY.replace(",", " "), "blanks"),
    "preamble": ('"Test name","cyclic"\n"Width (mm)",10.0\n\n' + PLAIN, "2 lines above"),
    "preamble of one cell": ("My test\n2024-05-02\n" + PLAIN, "2 lines above"),
    "row of units": (f"Time,Strain,Stress\n(s),(mm/mm),(MPa)\n{BODY}", "row of units"),
    "row of plain units": (f"Time,Strain,Stress\ns,-,N/mm²\n{BODY}", "row of units"),
    "NaN at the end": (PLAIN + "NaN,NaN,NaN\n9,0.1,nan\n,,\n", "2 rows without values"),
    "text at the end": (PLAIN + "End of test\n", "1 line of text at the end"),
    "cut short": (PLAIN + "7.5,0.01", "incomplete last line"),
    "repeated header": (PLAIN + PLAIN, None),
    "header again": (PLAIN.replace("\n1.0", f"\n{HEAD}\n1.0", 1), "repeated header"),
    "trailing separators": (PLAIN.replace("\n", ",\n"), ""),
    "Fortran": (PLAIN.replace("0.250000", "2.5D-01", 1), ""),
    "minus of typography": (PLAIN.replace("-", "\u2212"), ""),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_gives_the_same_numbers(name):
    content, note = LAYOUTS[name]
    if note is None:
        assert "time does not increase" in refusal(content)
    else:
        check(read(content), note=note)


def test_latin_1_and_utf_16_are_text():
    latin = PLAIN.replace("stress_mpa", "stress_mpa,Prüfkraft °").replace("\n0", ",1\n0")
    check(read(latin.encode("latin-1")), note="Latin-1")
    check(read(PLAIN.encode("utf-16")), note="UTF-16")
    check(read(b"\xef\xbb\xbf" + PLAIN.encode()))


# Numbers: definitions of the units (BIPM, NIST SP 811), not this package's tables.
UNITS = {
    "Time [msec],strain,stress_mpa": (1e-3, 1, 1, "MPa"),
    "time_min,strain,stress_mpa": (60, 1, 1, "MPa"),
    "time (hours),strain,stress_mpa": (3600, 1, 1, "MPa"),
    "t/h,eps/%,sigma/kPa": (3600, 0.01, 1, "kPa"),
    "Elapsed Time (s),Strain (microstrain),Stress (Pa)": (1, 1e-6, 1, "Pa"),
    "Time_sec,Strain (µε),Stress (N/mm²)": (1, 1e-6, 1, "MPa"),
    "Time (s),Strain (με),Stress (N/mm^2)": (1, 1e-6, 1, "MPa"),
    "Time (s),Strain (‰),Stress (bar)": (1, 1e-3, 0.1, "MPa"),
    "Time (s),Strain 1 (%),Stress (GPa)": (1, 0.01, 1, "GPa"),
    "Time (s),strainpct,stress_ksi": (1, 0.01, 6.894757, "MPa"),
    "timestamp,true strain,true stress [psi]": (1, 1, 6.894757e-3, "MPa"),
    "Total Time,Tensile strain (Extension),Tensile stress": (1, 1, 1, "-"),
    "Zeit in min,Dehnung in %,Spannung in MPa": (60, 0.01, 1, "MPa"),
    "Prüfzeit [s],Dehnung [mm/m],Zugspannung [MPa]": (1, 1e-3, 1, "MPa"),
    "TimeMs,StrainPercent,StressMPa": (1e-3, 0.01, 1, "MPa"),
}


@pytest.mark.parametrize("header", UNITS)
def test_units_are_converted(header):
    time, strain, stress, unit = UNITS[header]
    tests = read(text(header))
    (only,) = tests.series
    np.testing.assert_allclose(only.time_s, TIME * time, rtol=1e-6)
    np.testing.assert_allclose(only.strain, np.round(STRAIN, 6) * strain, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(only.stress, np.round(STRESS, 6) * stress, rtol=1e-6)
    assert tests.stress_unit == unit


def test_what_is_assumed_is_noted():
    notes = read(text("t,eps,sigma")).notes
    assert "time without a unit taken for s" in notes
    assert "strain without a unit taken for a pure number" in notes
    assert "stress without a unit taken as it is" in notes
    (note,) = read(text("time [s],strain [-],stress [MPa]")).notes
    assert note.startswith("stress begins at 5.5 MPa where the strain is 0")


def test_milliseconds_since_1970_are_not_taken_for_seconds():
    def table(factor):
        rows = [f"{(1_700_000_000 + k) * factor},{k / 100},{k}" for k in range(30)]
        return "\n".join(["timestamp,strain,stress_mpa", *rows])

    assert "too much for seconds. Say which: --time-unit ms" in refusal(table(1000))
    for series in (read(table(1000), time_unit="ms").series, read(table(1)).series):
        np.testing.assert_allclose(np.diff(series[0].time_s), 1)


def test_a_unit_given_outranks_the_file():
    tests = read(text(), time_unit="min", stretch_unit="%", stress_unit="kPa")
    (only,) = tests.series
    np.testing.assert_allclose(only.time_s, 60 * TIME)
    np.testing.assert_allclose(only.strain, np.round(STRAIN, 6) / 100)
    assert tests.stress_unit == "kPa"
    with pytest.raises(ValueError, match="`stretch_unit` must be a unit of stretch"):
        Columns(stretch_unit="furlong")


@pytest.mark.parametrize(
    ("header", "option"),
    (
        ("time_s,strain_mm,stress_ksi", "--gauge-length"),
        ("time_s,Extension (mm),stress", "--gauge-length"),
        ("time_s,strain,Load (N)", "--area"),
        ("time_s,strain,stress [furlong]", "--stress-unit"),
        ("time_s,strain_eng,strain_true,stress", "--stretch COLUMN"),
        ("strain,stress,note", "--time-step"),
    ),
)
def test_what_has_two_readings_is_asked_for(header, option):
    columns = (TIME, STRAIN, STRAIN, STRESS)[-header.count(",") - 1 :]
    assert option in refusal(text(header, columns))


def test_elongation_and_force_become_strain_and_stress():
    content = text("Time (s),Extension (mm),Load (kN)", (TIME, 50 * STRAIN, 4 * STRESS))
    tests = read(content, gauge_length_mm=50.0, area_mm2=4000.0)
    check(tests, note="gauge length of 50 mm")
    assert tests.stress_unit == "MPa"


def test_a_file_without_time_has_a_time_step():
    content = text("strain,stress_mpa", (STRAIN, STRESS))
    check(read(content, time_step_s=0.25), note="a row every 0.25 s, as given")


def test_percent_without_a_label_is_asked_for():
    content = text(columns=(TIME, 200 * STRAIN, STRESS))
    assert "--stretch-unit %" in refusal(content)
    check(read(text(columns=(TIME, 100 * STRAIN, STRESS)), stretch_unit="%"))


def test_a_stretch_that_begins_at_one_becomes_strain():
    check(read(text("time_s,stretch,stress_mpa", (TIME, 1 + STRAIN, STRESS))), note="λ − 1")
    check(read(text("time_s,λ [-],stress_mpa", (TIME, 1 + STRAIN, STRESS))), note="λ − 1")
    check(read(text("time_s,stretch,stress_mpa")), note="read as a strain")
    middle = text("time_s,stretch,stress_mpa", (TIME, 0.5 + STRAIN, STRESS))
    assert "--stretch-unit stretch" in refusal(middle)
    check(read(middle, stretch_unit="stretch"), strain=STRAIN - 0.5)
    check(read(middle, stretch_unit="1"), strain=STRAIN + 0.5)


def clock_text(form):
    lines = [HEAD, *(f"{form(k)},{row.split(',', 1)[1]}" for k, row in enumerate(BODY.split()))]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "form",
    (
        lambda k: f"00:00:{k / 4:05.2f}",
        lambda k: f"00:{k / 4:05.2f}",
        lambda k: (
            f"2024-05-02 10:59:5{k / 4:.2f}" if k < 8 else f"2024-05-02 10:59:{50 + k / 4:.2f}"
        ),
        lambda k: f"2.5.2024 10:59:{50 + k / 4:.2f}",
        lambda k: f"05/06/2024 10:59:{50 + k / 4:.2f} PM",
        lambda k: ("23:59:" if k < 16 else "00:00:") + f"{(56 + k / 4) % 60:05.2f}",
        lambda k: (
            ("2024-02-29T23:59:" if k < 16 else "2024-03-01T00:00:") + f"{(56 + k / 4) % 60:05.2f}"
        ),
    ),
)
def test_clock_times_become_seconds(form):
    tests = read(clock_text(form))
    np.testing.assert_allclose(np.subtract(tests.series[0].time_s, tests.series[0].time_s[0]), TIME)


def test_two_parts_of_a_clock_are_asked_for():
    content = clock_text(lambda k: f"01:{k:02d}")
    assert "--time-unit mm:ss or --time-unit hh:mm" in refusal(content)
    check(read(content, time_unit="mm:ss"), time=60.0 + np.arange(ROWS))
    check(read(content, time_unit="hh:mm"), time=3600.0 + 60 * np.arange(ROWS))


def test_thousands_or_decimals_are_asked_for_where_no_number_tells():
    rows = "\n".join(f"{k};1,{200 + k};3,{400 + k}" for k in range(20))
    assert "may be 1200 or 1.200" in refusal("time_s;strain;stress\n" + rows)
    tests = read("time_s;strain;stress_mpa\n" + rows + "\n20;0,5;3,5")
    assert tests.series[0].strain[0] == 1.2


def test_a_column_of_specimens_is_recognised():
    rows = "".join(f"{'ab'[k // 15]},{row}\n" for k, row in enumerate(BODY.split()))
    tests = read("specimen,time_s,strain,stress_mpa\n" + rows)
    assert [(each.group, len(each.time_s)) for each in tests.series] == [("a", 15), ("b", 15)]


def test_numbers_and_clocks():
    assert parse_number("1,234.5", ".") == 1234.5 and parse_number("1.234,5", ",") == 1234.5
    assert parse_number("1e3", ".") == parse_number("1,0D3", ",") == 1000
    assert parse_number("0,5", ".") is None and parse_number("0.5", ",") is None
    assert math.isnan(parse_number("#N/A", ".") or 0) and parse_number("1_0", ".") is None
    clock = parse_clock("12:00:01 AM")
    assert clock is not None and clock.hours == 0 and parse_clock("12") is None


def test_pounds_per_square_inch():
    psi = find_unit("stress", "psi")
    assert psi is not None and psi.factor == pytest.approx(4.4482216152605 / 25.4**2)
    assert convert_stress("GPa", "kPa") == pytest.approx(1e6) and convert_stress("-", "Pa") is None
    assert unit_in_title("Strain rate", "stretch") is None


PIECES = st.sampled_from(
    [
        *(
            "time",
            "strain",
            "stress_mpa",
            "(s)",
            "%",
            "0.1",
            "0,1",
            "1,234",
            "-1e5",
            "nan",
            "",
            "x",
        ),
        *("00:01:02", "01:02", "2024-13-45 99:99:99", "12/12/2012 00:00:01", "# a", "sep=;", '"'),
        *(
            "stretch",
            "µε",
            "1.5.5",
            "\u2212",
            "1" * 400,
            "[",
            "](",
            "\t",
            "\ufeff",
            "specimen",
            "a",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.lists(PIECES, min_size=1, max_size=5), max_size=12),
    separator=st.sampled_from([",", ";", "\t", " ", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le"]),
    keep=st.booleans(),
)
def test_any_text_is_read_or_refused_in_one_line(rows, separator, encoding, keep):
    content = "\n".join(separator.join(row) for row in rows)
    if keep:
        content = PLAIN.replace(",", separator) + content
    try:
        tests = read(content.encode(encoding))
    except ValueError as error:
        assert len(str(error).splitlines()) == 1 and "f.csv" in str(error)
    else:
        for each in tests.series:
            assert all(b > a for a, b in zip(each.time_s[:-1], each.time_s[1:], strict=True))
            assert np.isfinite([each.time_s, each.strain, each.stress]).all()


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=60), place=st.integers(0, 900))
def test_any_bytes_are_read_or_refused_in_one_line(raw, place):
    good = PLAIN.encode()
    try:
        read(good[:place] + raw + good[place:])
    except ValueError as error:
        assert len(str(error).splitlines()) == 1 and Path("f.csv").name in str(error)


def test_reading_takes_little_more_memory_than_the_numbers(tmp_path):
    """Of three columns: the text, 32 bytes a row of numbers and lines, and the arrays of a split.

    As lists of Python objects they took 27 times the file. Numbers of usual width, 28 bytes a row.
    """
    rows = 3_000
    time = 0.01 * np.arange(rows)
    strain = 0.02 * np.sin(time)
    path = tmp_path / "long.csv"
    path.write_text(text(columns=(time, strain, 5.5 + 100 * strain)))
    tracemalloc.start()
    try:
        assert read_csv(path).x.shape == (1, rows, 3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * path.stat().st_size


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_a_split_text(end):
    """Numbers of lines in messages count as an editor does, behind a quoted line break too."""
    content = end.join(["# a comment", 'time_s,"strain', '-",stress_mpa', "0,0,1", "1,x,2", ""])
    assert refusal(content).startswith("f.csv, line 5: stretch is 'x'")


@pytest.mark.parametrize(
    "header",
    [
        "tijd (s),rek (mm/mm),spanning (MPa)",
        "时间(s),应变(-),应力(MPa)",
        "Tempo [s],Deformação [-],Tensão [MPa]",
        "Time (s),Strain (ε),Stress (megapascals)",
        "Time (s),Elongation (mm/mm),Stress σ (MPa)",
    ],
)
def test_titles_of_other_laboratories_are_recognised(header):
    tests = read(text(header))
    check(tests)
    assert tests.stress_unit == "MPa"


def test_an_elongation_in_per_cent_is_a_strain():
    per_cent = (TIME, 100 * STRAIN, STRESS)
    check(read(text("Time (s),Elongation (%),Stress (MPa)", per_cent)), note="from %")
    below = text("Time,Elongation,Stress", per_cent).replace("\n", "\ns,%,MPa\n", 1)
    check(read(below), note="from %")
    assert "--gauge-length" in refusal(text("Time (s),Elongation (mm),Stress (MPa)", per_cent))


def test_what_begins_at_one_is_no_strain():
    header, columns = "time_s,ext,stress_mpa", (TIME, 1 + STRAIN, STRESS)
    assert "--stretch-unit stretch" in refusal(text(header, columns), stretch="ext")
    check(read(text(header, columns), stretch="ext", stretch_unit="stretch"), note="λ − 1")
    length = text("time_s,Length (mm),stress_mpa", (TIME, 50 + 50 * STRAIN, STRESS))
    message = refusal(length, stretch="Length (mm)", gauge_length_mm=50.0)
    assert "begins at the gauge length" in message


def test_a_positive_compression_and_a_wait_are_named():
    header = "Time [s],Compressive strain [-],Compressive stress [MPa]"
    positive = (TIME, np.abs(STRAIN), np.abs(STRESS))
    assert any("read as tension" in note for note in read(text(header, positive)).notes)
    negative = (TIME, -np.abs(STRAIN), -np.abs(STRESS))
    assert not any("tension" in note for note in read(text(header, negative)).notes)
    waited = np.where(np.arange(ROWS) < 13, TIME, TIME + 600)
    check(read(text(columns=(waited, STRAIN, STRESS))), time=waited, note="1 step of up to 600 s")
    assert not any("straight line" in note for note in read(PLAIN).notes)
