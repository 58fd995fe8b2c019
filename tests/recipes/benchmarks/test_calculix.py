"""Decks for CalculiX and what is read from its output; the program itself is run by hand."""

import numpy as np
import pytest

from recipes.benchmarks.calculix import decks, program

# As CalculiX 2.20 printed it.
TEXT = """
 increment 1 attempt 1
 average force= 9.961945
 largest residual force= 147.415218 in node 116 and dof 1
 largest increment of disp= 2.894791e-01
 largest correction to disp= 2.894791e-01 in node 121 and dof 2
 largest residual force= 0.070000 in node 130 and dof 1
 largest correction to disp= 6.480171e-06 in node 135 and dof 1
 increment 2 attempt 1
 largest residual force= 0.000012 in node 130 and dof 1
 largest correction to disp= 1.271845e-09 in node 147 and dof 2
"""
DATA = """
 total force (fx,fy,fz) for set TOP and time  0.5000000E+00

        2.772200E-02  9.150126E-02  3.439089E-16

 total force (fx,fy,fz) for set TOP and time  0.1000000E+01

        5.365841E-02  1.770235E-01  7.025630E-17
"""


def test_iterations_are_read_by_increment():
    assert program.iterations(TEXT) == [
        [(147.415218, 0.2894791), (0.07, 6.480171e-06)],
        [(1.2e-05, 1.271845e-09)],
    ]


def test_forces_are_read_by_time(tmp_path):
    (tmp_path / "deck.dat").write_text(DATA)
    forces = program.total_forces(tmp_path, "deck")
    np.testing.assert_allclose(forces[:, 0], [0.5, 1.0])
    np.testing.assert_allclose(forces[:, 2], [9.150126e-02, 1.770235e-01])


def test_the_order_of_convergence():
    newton = [1e-1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-16]
    assert program.order(newton) == pytest.approx(2.0)
    assert program.order([1.0, 0.1, 0.01, 0.001]) == pytest.approx(1.0)
    assert np.isnan(program.order([1.0, 0.1]))


def test_the_mesh_of_the_strip_fills_its_area():
    deck = decks.notched_strip([1.0] * 9, 18, 4, 1.5, 5.0)
    nodes, elements = deck.split("*ELEMENT, TYPE=C3D20R, ELSET=EALL\n")
    places = np.array([line.split(",") for line in nodes.splitlines()[1:]], float)[:, 1:]
    numbers = elements.split("*NSET")[0].replace(",\n", ", ").splitlines()
    rows = np.array([line.split(",") for line in numbers], int)
    assert rows.shape == (32, 21) and rows[:, 1:].max() == len(places)
    # Half the cross product of the diagonals of the four corners of each element.
    a, b, c, d = (places[rows[:, 1 + k] - 1, :2] for k in range(4))
    one, two = c - a, d - b
    area = np.sum(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2
    # 2 - 0.5 times the integral of 1/(1 + 4 y²) over 0 to 2
    assert area == pytest.approx(2.0 - 0.5 * np.arctan(4.0) / 2.0, rel=2e-3)
    middle = places[rows[:, 9] - 1]  # between the first two corners
    np.testing.assert_allclose(middle, (places[rows[:, 1] - 1] + places[rows[:, 2] - 1]) / 2)


def test_sources_that_are_none_are_refused(tmp_path):
    with pytest.raises(ValueError, match="the folder with umat"):
        program.build(tmp_path, tmp_path / "build", "")


def test_constants_are_given_eight_a_line():
    rows = decks.material([1.0] * 9, 18).splitlines()
    assert rows[1] == "*USER MATERIAL, CONSTANTS=9"
    assert [len(row.split(",")) for row in rows[2:4]] == [8, 1]
