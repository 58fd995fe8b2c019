"""Build CalculiX with the UMAT of a solid, run two decks, compare and print."""

from pathlib import Path

import numpy as np

from recipes.benchmarks.calculix import decks, program
from recipes.benchmarks.calculix.settings import Settings
from zoo import models, solver
from zoo.cells.material import SolidCell

INCREMENT_S = 0.5
TIMES_S = (0.0, 10.0, 25.0, 35.0)  # pull, back beyond the first length, hold
STRETCHES = (1.0, 2.0, 0.9, 0.9)
# K by the shear modulus. With the first one a uniaxial test is incompressible to 3e-8.
STIFF, SOFT = 1e7, 100.0
UNITS = 1e8  # of stress in the strip by the model's: CalculiX prints residuals with six decimals
STRIP_STRETCH, STRIP_S = 1.5, 5.0


def run(settings: Settings) -> None:
    """Print the two comparisons.

    Raises:
        ValueError: no sources, or a model without a form in three dimensions.
    """
    sequence, _ = models.load_keras_model(settings.model)
    cell = solver.solid_cell(sequence)
    if cell is None:
        raise ValueError(f"{settings.model}: expected a hyperelastic-viscous solid.")
    umat = solver.solid_umat(cell, "solid", "calculix")
    print(f"CalculiX from {settings.source} with the UMAT of {settings.model}")
    calculix = program.build(settings.source, settings.out / "src", umat)
    states = 6 + 6 * cell.branches
    _compare_element(settings, calculix, cell, states)
    _print_strip(settings, calculix, cell, states)


def _compare_element(settings: Settings, calculix: Path, cell: SolidCell, states: int) -> None:
    constants = list(solver.solid_constants(cell, STIFF).values())
    deck = decks.one_element(
        constants, states, TIMES_S, [each - 1.0 for each in STRETCHES], INCREMENT_S
    )
    program.run_deck(calculix, settings.out, "one_element", deck)
    answers = program.total_forces(settings.out, "one_element")
    times, force = answers[:, 0], answers[:, 3]
    stretch = np.interp(times, TIMES_S, STRETCHES)
    expected = uniaxial_stress(cell, times, stretch)
    worst = np.abs(force - expected).max() / np.abs(expected).max()
    print("one element C3D8, pulled to 2, back to 0.9, held; nominal stress")
    print(f"{'t [s]':>8} {'stretch':>8} {'CalculiX':>14} {'Python':>14}")
    for k in range(3, len(times), 8):
        print(f"{times[k]:8.2f} {stretch[k]:8.4f} {force[k]:14.6g} {expected[k]:14.6g}")
    print(f"{len(times)} increments, largest difference {worst:.1e} of the largest stress")


def uniaxial_stress(cell: SolidCell, times: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Nominal stress by the cell itself, in double precision.

    Args:
        cell: with weights.
        times: ends of the increments [s].
        stretch: there.
    """
    double = SolidCell.from_config({**cell.get_config(), "dtype": "float64", "show": ("stress",)})
    double.build((None, 3))
    double.set_weights([np.asarray(each, float) for each in cell.get_weights()])
    state, answers = [np.zeros((1, cell.branches))], []
    old, before = 1.0, 0.0
    for now, time in zip(stretch, times, strict=True):
        row = np.array([[now - 1.0, (now - old) / (time - before), time - before]])
        stress, state = double(row, state)
        answers.append(float(np.asarray(stress).item()))
        old, before = now, time
    return np.array(answers)


def _print_strip(settings: Settings, calculix: Path, cell: SolidCell, states: int) -> None:
    constants = [
        value if name.startswith(("time", "exponent")) else UNITS * value
        for name, value in solver.solid_constants(cell, SOFT).items()
    ]
    deck = decks.notched_strip(constants, states, settings.elements, STRIP_STRETCH, STRIP_S)
    text = program.run_deck(calculix, settings.out, "notched_strip", deck)
    table = program.iterations(text)
    force = program.total_forces(settings.out, "notched_strip")
    print(
        f"notched strip, {2 * settings.elements**2} elements C3D20R, K = {SOFT:g} shear moduli, "
        f"pulled to {STRIP_STRETCH} in {len(table)} increments; force at the end "
        f"{force[-1, 2] / UNITS:.6g}"
    )
    print("iterations: largest residual force (correction of a displacement); r' ~ r^p, at least:")
    print("about 1e-5 is rounding")
    for k, rows in enumerate(table, 1):
        p = program.order([residual for residual, _ in rows][-4:])
        shown = "  ".join(f"{residual:.1e} ({correction:.1e})" for residual, correction in rows)
        print(f"{k:4d}  p = {p:.2f}  {shown}")
