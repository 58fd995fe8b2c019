"""Names from a model file or a manifest stay text in every language that is generated."""

import csv
import io
import shutil
import subprocess

import numpy as np
import pytest

from zoo.edge.graph import Graph, Operator, Tensor
from zoo.export import card
from zoo.firmware import c_syntax, model_array, reference
from zoo.firmware.reference import Reference
from zoo.report import Report, Table, model_tables
from zoo.solver.program import require_identifiers
from zoo.solver.saved import program_name

HOSTILE = (
    'a"); system("touch ran"); ("',
    "*/ int ran = system(0); /*",
    "a[1] = {0}; static int b",
    "a\nint ran;",
    "a\\",
    "??/",
    "é",
    "",
    "1a",
)
SPECIAL = 'quote " backslash \\ trigraph ??/ line\n end */ begin /* é %s'


@pytest.mark.parametrize("name", HOSTILE)
def test_an_output_of_a_model_is_no_c_code(name):
    zero = np.zeros((1, 2), np.float32)
    for given in (
        Reference(zero, {name: zero}, {}, {}),
        Reference(zero, {}, {name: zero}, {name: zero}),
    ):
        for write in (reference.source, reference.header):
            with pytest.raises(ValueError, match="name of letters, digits") as caught:
                write("model", given)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("names", [("a-b", "a_b"), ("input",), ("features",)])
def test_two_outputs_of_one_c_name_are_refused(names):
    zero = np.zeros((1, 2), np.float32)
    with pytest.raises(ValueError, match="C has it already"):
        reference.source("model", Reference(zero, dict.fromkeys(names, zero), {}, {}))


def test_tensor_and_operation_names_are_read_back_as_they_are(tmp_path, monkeypatch):
    """Names that C would take for code, in tables and in comments, compile and come back."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    monkeypatch.setattr(model_array, "arena_of", lambda content, name: None)  # no real file
    tensor = Tensor(SPECIAL, (1, 2), "FLOAT32", 8, None, None, None)
    operator = Operator("*/ int ran; /*", (0,), (1,), None)
    graph = Graph((tensor, tensor), (operator,), {SPECIAL: 0}, {SPECIAL: 1}, (), 0)
    (tmp_path / "m.h").write_text(model_array.header("m", b"TFL3", graph, graph), encoding="ascii")
    (tmp_path / "m.c").write_text(model_array.source("m", b"TFL3", graph), encoding="ascii")
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "m.h"\nint main(void) { fputs(m_inputs[0].name, stdout); }\n'
    )
    words = [compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "m.c", "main.c", "-o", "m"]
    subprocess.run(words, cwd=tmp_path, check=True)
    assert subprocess.run(tmp_path / "m", capture_output=True).stdout.decode() == SPECIAL


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e39])
def test_c_has_no_literal_for_what_is_not_finite(value):
    with pytest.raises(ValueError, match="finite"):
        c_syntax.float_literal(value)


@pytest.mark.parametrize("name", [*HOSTILE, "x" * 60])
def test_a_state_of_a_model_is_no_solver_code(name):
    with pytest.raises(ValueError, match="letters, digits and _") as caught:
        require_identifiers("model", ["x", name])
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="letters, digits and _"):
        require_identifiers(name, ["x"])


@pytest.mark.parametrize("name", ["2024-test-gru", "übung", "x" * 60, "_", "hysteresis-lstm"])
def test_every_name_of_a_saved_model_is_one_of_a_program(name):
    program = program_name({"name": name})
    require_identifiers(program, ["x"])
    assert name != "hysteresis-lstm" or program == "hysteresis_lstm"


def test_two_states_that_are_one_to_fortran_are_refused():
    with pytest.raises(ValueError, match="whatever the case"):
        require_identifiers("model", ["x", "hidden", "Hidden"])


CELL = "=HYPERLINK(1)|<script>alert(1)</script>\n| next"


def test_html_shows_names_as_text():
    page = Report(CELL, CELL, {CELL: CELL}).section(CELL, CELL).table(Table([CELL], [[CELL]], CELL))
    text = page.html()
    assert "<script>alert" not in text and "&lt;script&gt;" in text


def test_markdown_holds_no_html_and_no_further_cells():
    text = Table([CELL, "b"], [[CELL, 1.0]]).markdown()
    assert "<script" not in text
    rows = text.strip().split("\n")
    assert [row.replace(r"\|", "").count("|") for row in rows] == [3, 3, 3]
    assert "<script" not in model_tables._markdown([[CELL]])


def test_a_card_holds_no_html_and_no_further_cells(exported):
    hostile = exported.manifest | {
        "description": CELL,
        "limits": [CELL],
        "metrics": {CELL: {CELL: {"value": 1.0, "baseline_name": CELL}}},
    }
    text = card.card_text(hostile)
    assert "<script" not in text and "\n| next" not in text


@pytest.mark.parametrize("cell", ["=1+1", "+SUM(A1)", "-cmd", "@x", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_no_cell(cell):
    text = Table([cell], [[cell], [1.5], [-2.0], ["-3"], ["-"], ["a=1"]]).csv()
    rows = [row[0] for row in csv.reader(io.StringIO(text, newline=""))]
    assert rows[1] == f"'{cell}" and rows[2:] == ["1.5", "-2.0", "-3", "-", "a=1"]
    assert not rows[0].startswith(("=", "+", "-", "@", "\t", "\r"))
