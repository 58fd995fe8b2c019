"""Input decks: one element in uniaxial tension, and a quarter of a notched strip."""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from recipes.benchmarks.calculix.program import CONTROLS

INCREMENTS = 25  # of the strip: volume is kept to first order only by the first guess of each
_CUBE = """*NODE, NSET=NALL
1, 0, 0, 0
2, 1, 0, 0
3, 1, 1, 0
4, 0, 1, 0
5, 0, 0, 1
6, 1, 0, 1
7, 1, 1, 1
8, 0, 1, 1
*ELEMENT, TYPE=C3D8, ELSET=EALL
1, 1, 2, 3, 4, 5, 6, 7, 8
*NSET, NSET=TOP
5, 6, 7, 8
*BOUNDARY
1, 1, 3
2, 2, 3
3, 3, 3
4, 1, 1
4, 3, 3
5, 1, 2
6, 2, 2
8, 1, 1
"""
# Order of the nodes of C3D20 on a 3 x 3 x 3 grid: corners, edges of one end, of the other, between.
_HEX20 = (
    *((0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0), (0, 0, 2), (2, 0, 2), (2, 2, 2), (0, 2, 2)),
    *((1, 0, 0), (2, 1, 0), (1, 2, 0), (0, 1, 0), (1, 0, 2), (2, 1, 2), (1, 2, 2), (0, 1, 2)),
    *((0, 0, 1), (2, 0, 1), (2, 2, 1), (0, 2, 1)),
)


def material(constants: Sequence[float], states: int) -> str:
    """A user material, eight constants a line."""
    numbers = [f"{value:.12g}" for value in constants]
    rows = [", ".join(numbers[k : k + 8]) for k in range(0, len(numbers), 8)]
    if len(numbers) % 8 == 0:
        rows.append("")  # CalculiX reads the count of lines for one number more
    return "\n".join(
        [
            "*MATERIAL, NAME=ABAQUSNL_SOLID",
            f"*USER MATERIAL, CONSTANTS={len(numbers)}",
            *(row for row in rows if row),
            "*DEPVAR",
            str(states),
            "*SOLID SECTION, ELSET=EALL, MATERIAL=ABAQUSNL_SOLID",
            "",
        ]
    )


def history(times: Sequence[float], displacements: Sequence[float]) -> str:
    """A piecewise linear amplitude."""
    rows = [f"{t:.12g}, {u:.12g}" for t, u in zip(times, displacements, strict=True)]
    return "\n".join(["*AMPLITUDE, NAME=PULL", *rows, ""])


def step(increment: float, duration: float, nodes: str, component: int) -> str:
    """One step with fixed increments; the displacement of `nodes` follows the amplitude."""
    return f"""*STEP, NLGEOM, INC=100000
*STATIC, DIRECT
{increment:.12g}, {duration:.12g}
{CONTROLS}*BOUNDARY, AMPLITUDE=PULL
{nodes}, {component}, {component}, 1.
*NODE PRINT, NSET={nodes}, TOTALS=ONLY
RF
*END STEP
"""


def one_element(
    constants: Sequence[float],
    states: int,
    times: Sequence[float],
    displacements: Sequence[float],
    increment: float,
) -> str:
    """A cube of edge 1 that is pulled along z, free across.

    Args:
        constants: PROPS.
        states: *DEPVAR.
        times: of the corners of the path [s].
        displacements: stretch - 1 there.
        increment: of time [s].
    """
    return (
        _CUBE
        + history(times, displacements)
        + material(constants, states)
        + step(increment, times[-1], "TOP", 3)
    )


def notched_strip(
    constants: Sequence[float], states: int, elements: int, stretch: float, duration: float
) -> str:
    """A quarter of a strip with a notch at either side, in plane strain, pulled along y.

    Half width 1, half length 2, notch of half the half width. Elements C3D20R.

    Args:
        constants: PROPS.
        states: *DEPVAR.
        elements: across the half width; twice as many along the half length.
        stretch: of the ends.
        duration: of the pull [s], in `INCREMENTS` increments.
    """
    counts = (elements, 2 * elements, 1)
    numbers: dict[tuple[int, ...], int] = {}
    rows = []
    for place in product(*(range(2 * count + 1) for count in counts)):
        if sum(k % 2 for k in place) > 1:
            continue  # C3D20 has no nodes within faces
        numbers[place] = len(numbers) + 1
        y = 2.0 * place[1] / (2 * counts[1])
        half_width = 1.0 - 0.5 / (1.0 + (y / 0.5) ** 2)
        x = half_width * place[0] / (2 * counts[0])
        rows.append(f"{numbers[place]}, {x:.12g}, {y:.12g}, {0.1 * place[2]:.12g}")
    hexes = []
    for k, corner in enumerate(product(*map(range, counts)), 1):
        nodes = [
            numbers[tuple(2 * c + d for c, d in zip(corner, at, strict=True))] for at in _HEX20
        ]
        hexes += [f"{k}, {', '.join(map(str, nodes[:10]))},", ", ".join(map(str, nodes[10:]))]
    top = [n for place, n in numbers.items() if place[1] == 2 * counts[1]]
    fixed = [f"{n}, 1, 1" for place, n in numbers.items() if place[0] == 0]
    fixed += [f"{n}, 2, 2" for place, n in numbers.items() if place[1] == 0]
    fixed += [f"{n}, 3, 3" for n in numbers.values()]
    fixed += [f"{n}, 1, 1" for n in top if f"{n}, 1, 1" not in fixed]
    parts = [
        ["*NODE, NSET=NALL", *rows],
        ["*ELEMENT, TYPE=C3D20R, ELSET=EALL", *hexes],
        ["*NSET, NSET=TOP", *_lines(top)],
        ["*BOUNDARY", *fixed],
    ]
    mesh = "\n".join(line for part in parts for line in part) + "\n"
    return (
        mesh
        + history([0.0, duration], [0.0, 2.0 * (stretch - 1.0)])
        + material(constants, states)
        + step(duration / INCREMENTS, duration, "TOP", 2)
    )


def _lines(numbers: Iterable[int]) -> list[str]:
    """Eight numbers a line."""
    rows = np.array_split(list(numbers), max(1, -(-len(list(numbers)) // 8)))
    return [", ".join(map(str, row)) for row in rows]
