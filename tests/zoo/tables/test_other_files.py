"""Files of other laboratories: what is read and what is refused, never silently as another."""

import math

import numpy as np
import pytest

from zoo.data import measured
from zoo.edge import history
from zoo.tables import Columns, parse_table, read_tests
from zoo.tables.text import decode

TIME = [0.5 * k for k in range(40)]
STRAIN = [0.02 * math.sin(0.6 * t) for t in TIME]
STRESS = [2000 * e for e in STRAIN]


def _text(titles, columns, form="{:.6g}", separator=","):
    rows = [
        separator.join(v if isinstance(v, str) else form.format(v) for v in row)
        for row in zip(*columns, strict=True)
    ]
    return "\n".join([titles, *rows]) + "\n"


def _read(text, **columns):
    return read_tests(parse_table(text, "test.csv"), Columns(**columns))


@pytest.mark.parametrize(
    ("titles", "loading", "response"),
    [
        ("t_us,B_mT,H_A/m", ("flux density", "T"), ("field", "A/m")),
        ("Time s,B T,H kA/m", ("flux density", "T"), ("field", "A/m")),
        ("time_s,strain mm/mm,stress N/mm2", ("strain", "-"), ("stress", "MPa")),
        ("time_s,strain (-),stress (N mm^-2)", ("strain", "-"), ("stress", "MPa")),
        ("time_s,strain [-],stress [kN·m⁻²]", ("strain", "-"), ("stress", "kPa")),
        ("Time (s),Stroke (mm),Force (N)", ("displacement", "mm"), ("force", "N")),
        ("Time (s),LVDT (mm),Load cell (kN)", ("displacement", "mm"), ("force", "kN")),
    ],
)
def test_the_unit_is_the_one_that_the_title_names(titles, loading, response):
    tests = _read(_text(titles, (TIME, STRAIN, STRESS)))
    assert tests.loading == loading
    assert (tests.response, tests.stress_unit) == response


@pytest.mark.parametrize("unit", ["kg", "g", "t", "T", "kG"])
def test_a_load_is_no_flux_density(unit):
    text = _text(f"Time (s),Displacement (mm),Load ({unit})", (TIME, STRAIN, STRESS))
    with pytest.raises(ValueError, match=f"stress is in '{unit}', which is not known"):
        _read(text)
    tests = _read(text, stress_unit="kgf")
    assert (tests.response, tests.stress_unit) == ("force", "kgf")


@pytest.mark.parametrize(
    "titles",
    [
        "Time (s),Strain amplitude (%),Stress amplitude (MPa)",
        "Time (s),Max strain (%),Max stress (MPa)",
        "Time (s),Min strain (%),Stress (MPa)",
        "Time (s),Plastic strain,Stress (MPa)",
        "Time (s),Strain,Yield stress (MPa)",
        "Time (s),Volumetric strain (%),Stress (kPa)",
        "Time (s),Querdehnung [%],Spannung [MPa]",
        "log10 time (s),Strain,Stress (MPa)",
        "lg t,Strain,Stress (MPa)",
        "Time (0.1 s),Strain,Stress (MPa)",
        "Time (s),Strain,Stress (10^6 Pa)",
        "Time (s),Crosshead (mm),Extensometer (mm),Load (N)",
    ],
)
def test_another_quantity_is_not_taken_for_strain_stress_or_time(titles):
    columns = (TIME, STRAIN, STRAIN, STRESS) if titles.count(",") == 3 else (TIME, STRAIN, STRESS)
    with pytest.raises(ValueError, match=r"test\.csv, line 1: [^\n]+$"):
        _read(_text(titles, columns))


@pytest.mark.parametrize(
    "titles",
    [
        "Time (s),Strain (%),Stress (MPa),Storage modulus (MPa),Loss modulus (MPa)",
        "Time,Strain,Stress,G',G''",
        "Step time (s),Oscillation strain (%),Oscillation stress (MPa),Phase angle (°),f (Hz)",
        "Time (s),Strain (%),Stress (MPa),tan delta,T (°C)",
    ],
)
def test_results_of_oscillations_are_refused(titles):
    text = _text(titles, (TIME, STRAIN, STRESS, STRESS, STRESS))
    with pytest.raises(ValueError, match="results of oscillations") as caught:
        _read(text)
    assert "\n" not in str(caught.value)


def test_the_total_strain_is_read_where_others_stand_beside_it():
    titles = "time_s,strain cmd (%),strain (%),transverse strain (%),stress_mpa"
    tests = _read(_text(titles, (TIME, STRESS, STRAIN, STRESS, STRESS)))
    assert np.allclose(tests.series[0].strain, np.array(STRAIN) / 100, atol=1e-7)


@pytest.mark.parametrize("title", ["id", "Test No", "run", "Versuch", "batch"])
def test_specimens_are_told_apart_where_time_begins_again(title):
    twice = (["1"] * 40 + ["2"] * 40, 2 * TIME, 2 * STRAIN, 2 * STRESS)
    tests = _read(_text(f"{title},time_s,strain,stress_mpa", twice))
    assert [each.group for each in tests.series] == ["1", "2"]
    assert f"time begins again with each {title!r}: read as label of the specimen" in tests.notes


def test_a_rate_that_changes_where_time_begins_again_labels_the_tests():
    rates = ["0.6"] * 40 + ["6"] * 40
    columns = (rates, ["23"] * 80, 2 * TIME, 2 * STRAIN, 2 * STRESS)
    tests = _read(_text("rate_1_per_min,chamber,time_s,strain,stress_mpa", columns))
    assert [each.group for each in tests.series] == ["0.6", "6"]
    assert any("each 'rate_1_per_min': read as label" in note for note in tests.notes)
    again = (["0.6"] * 40 + ["6"] * 40 + ["0.6"] * 40, 3 * TIME, 3 * STRAIN, 3 * STRESS)
    with pytest.raises(ValueError, match="time does not increase"):  # two tests of one rate
        _read(_text("rate_1_per_min,time_s,strain,stress_mpa", again))


def test_a_number_beside_one_test_is_no_specimen():
    blocks = [str(k // 10) for k in range(40)]
    tests = _read(_text("id,time_s,strain,stress_mpa", (blocks, TIME, STRAIN, STRESS)))
    assert len(tests.series) == 1
    rows = _text("cycle,time_s,strain,stress_mpa", (blocks * 2, 2 * TIME, 2 * STRAIN, 2 * STRESS))
    with pytest.raises(ValueError, match="time does not increase"):
        _read(rows)


@pytest.mark.parametrize(
    ("cell", "value"), [("1 234.5", 1234.5), ("1'234.5", 1234.5), ("-1 234 567", -1234567.0)]
)
def test_marks_between_thousands_are_read_where_nothing_else_is_meant(cell, value):
    text = f"time [s];strain [%];stress [kPa]\n0;0;0\n1;1;{cell}\n2;2;3\n"
    assert _read(text).series[0].stress[1] == value


def test_a_mark_of_two_meanings_is_refused():
    with pytest.raises(ValueError, match="thousands or decimals"):
        _read("time [s];strain [%];stress [kPa]\n0;0;0.5\n1;1;10,756\n2;2;3.5\n")
    german = "Zeit [s];Dehnung [%];Spannung [Pa]\n0,5;0;0\n1,5;1,5;1.234.567\n2;2,5;3,5\n"
    assert _read(german).series[0].stress[1] == 1234567.0


@pytest.mark.parametrize("value", [-9999.0, 999.25, 99999.0])
def test_a_mark_of_a_missing_value_is_refused(value):
    text = _text("time_s,strain,stress_mpa", (TIME, STRAIN, [*STRESS[:9], value, *STRESS[10:]]))
    with pytest.raises(ValueError, match=r"line 11: stress is .* as a missing value is written"):
        _read(text)


def test_such_a_number_among_others_of_its_size_is_read():
    stress = [25 * each for each in STRESS]
    stress[9] = 999.0
    tests = _read(_text("time_s,strain,stress_mpa", (TIME, STRAIN, stress)))
    assert tests.series[0].stress[9] == 999.0


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"PK\x03\x04..xl/workbook.xml", "an Excel workbook"),
        (b"PK\x03\x04..test.csv", "a ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "an Excel workbook"),
        (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"TDSm\x0e\x00", "a LabVIEW file"),
        (b"PAR1....", "a Parquet file"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b'[{"time": 0}]', "JSON"),
        (b'{"time": [0, 1]}', "JSON"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"<html><table>", "a page in HTML"),
    ],
)
def test_a_file_of_another_format_is_named(raw, what):
    with pytest.raises(ValueError, match=f"^test.dat: {what}.*expected a CSV file") as caught:
        decode(raw, "test.dat")
    assert "\n" not in str(caught.value)


def test_a_table_without_titles_is_refused():
    with pytest.raises(ValueError, match="line 1: numbers, expected a header line"):
        _read("0,0,0\n1,0.01,3\n2,0.02,5\n")


def test_names_of_rows_have_no_title():
    text = '"time" "strain" "stress"\n' + "".join(
        f'"{k}" {TIME[k]} {STRAIN[k]:.6f} {STRESS[k]:.4f}\n' for k in range(40)
    )
    tests = _read(text)
    assert list(tests.series[0].time_s) == TIME
    assert "rows begin with a name or number that has no title" in tests.notes


def test_a_position_is_counted_from_where_it_begins():
    position = [120 + 50 * each for each in STRAIN]
    tests = _read(_text("Time (s),Position (mm),Force (N)", (TIME, position, STRESS)))
    assert np.allclose(tests.series[0].strain, 50 * np.array(STRAIN), atol=1e-3)
    assert "'Position (mm)' begins at 120 mm: counted from its first row" in tests.notes


def test_true_stress_is_named_where_it_differs():
    stretch = [1 + 10 * abs(each) for each in STRAIN]
    tests = _read(_text("time_s,stretch,true stress (kPa)", (TIME, stretch, STRESS)))
    assert any("laws of large strain expect nominal stress" in note for note in tests.notes)


def test_an_extension_ratio_is_a_stretch():
    stretch = [1 + 10 * abs(each) for each in STRAIN]
    tests = _read(_text("time_s,Extension ratio,stress (kPa)", (TIME, stretch, STRESS)))
    assert np.allclose(tests.series[0].strain, np.array(stretch) - 1, atol=1e-5)


def test_a_zone_behind_a_time_of_day_is_read():
    times = [f"2024-05-02T10:00:{int(t):02d}.{int(10 * (t % 1))}+02:00" for t in TIME]
    tests = _read(_text("time,strain,stress_mpa", (times, STRAIN, STRESS)))
    assert np.allclose(tests.series[0].time_s, np.array(TIME) + 36000)


def test_a_relaxation_that_begins_after_its_loading_is_loaded_in_the_first_step(tmp_path):
    times = [0.1 * 1.2**k for k in range(40)]
    stress = [3 + 7 * math.exp(-t / 20) for t in times]
    file = tmp_path / "hold.csv"
    file.write_text(_text("time_s,strain (%),stress_mpa", (times, [1.0] * 40, stress)))
    data = measured.read_csv(file)
    rate = data.x[0, :, 1]
    assert rate[0] * data.x[0, 0, 2] == pytest.approx(0.01) and not rate[1:].any()
    assert any("taken as loaded from rest" in note for note in data.notes)
    file.write_text(_text("time_s,strain (%)", (times, [1.0] * 40)))
    (loading,) = history.read_csv(file, "hold.csv")
    np.testing.assert_allclose(loading.x, data.x[0], rtol=1e-5)


def test_a_waveform_around_a_mean_strain_is_not_loaded_in_its_first_step():
    strain = [0.05 + 0.0004 * each / 0.02 for each in STRAIN]
    tests = _read(_text("time_s,strain,stress_mpa", (TIME, strain, STRESS)))
    assert not tests.series[0].is_held


def test_a_row_of_units_may_stand_above_the_titles():
    tests = _read("s,%,kPa\n" + _text("time,strain,stress", (TIME, STRAIN, STRESS)))
    assert tests.stress_unit == "kPa"
    assert np.allclose(tests.series[0].strain, np.array(STRAIN) / 100, atol=1e-7)


@pytest.mark.parametrize(
    ("titles", "loading", "response"),
    [
        ("时间(s),位移(mm),力(N)", "displacement", "force"),
        ("Время (с),Деформация (%),Напряжение (МПа)", "strain", "stress"),
        ("Tiempo (s),Deformación (%),Esfuerzo (MPa)", "strain", "stress"),
    ],
)
def test_titles_in_more_languages(titles, loading, response):
    tests = _read(_text(titles, (TIME, STRAIN, STRESS)))
    assert (tests.loading[0], tests.response) == (loading, response)


def test_a_break_and_a_load_that_was_not_tared_are_named():
    pulled = [0.005 * k for k in range(40)]
    broken = [*(float(k) for k in range(37)), 0.3, 0.2, 0.1]
    tests = _read(_text("time_s,strain,stress_mpa", (TIME, pulled, broken)))
    assert any("in line 39 while the strain stays" in note for note in tests.notes)
    unloaded = [*pulled[:20], *reversed(pulled[:20])]
    tests = _read(_text("time_s,strain,stress_mpa", (TIME, unloaded, [9 * e for e in unloaded])))
    assert not any("breaks" in note or "tared" in note for note in tests.notes)
    offset = [100 + each for each in STRESS]
    tests = _read(_text("time_s,strain,stress_mpa", (TIME, STRAIN, offset)))
    assert any("stress begins at 100 MPa where the strain is 0" in note for note in tests.notes)
