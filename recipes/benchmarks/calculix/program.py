"""CalculiX with another `umat`: build it, run a deck, read what it prints."""

import itertools
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

from zoo import files

CFLAGS = "-I/usr/include/spooles -DARCH=Linux -DSPOOLES -DARPACK -DMATRIXSTORAGE -DUSE_MT=1 -O1 -w"
FFLAGS = "-fallow-argument-mismatch -std=legacy -w -O1"
# A residual as a share of the mean force, CalculiX' default is 0.005; as many iterations as needed.
CONTROLS = """*CONTROLS, PARAMETERS=FIELD
1.e-10,1.e-10,,,1.e-10,1.e-10
"""


def build(source: Path, folder: Path, umat: str) -> Path:
    """Compile CalculiX' sources with a UMAT in place of theirs.

    Args:
        source: folder with `umat.f` and `Makefile`.
        folder: for the copy of it that is built.
        umat: free-form Fortran.

    Returns:
        The program.

    Raises:
        ValueError: no sources there.
        RuntimeError: the compiler's first error.
    """
    if not (source / "umat.f").is_file() or not (source / "Makefile").is_file():
        raise ValueError(
            f"{source}: expected CalculiX' sources, the folder with umat.f and Makefile. Get them "
            "by `apt-get source calculix-ccx`."
        )
    if not folder.exists():
        shutil.copytree(source, folder)
    files.write_text(folder / "zoo_umat.f90", umat)
    _compile(folder, ["gfortran", "-O2", "-w", "-c", "-o", "umat.o", "zoo_umat.f90"])
    (program,) = (
        each.stem for each in folder.glob("ccx_*.c") if re.fullmatch(r"ccx_[\d.]+", each.stem)
    )
    options = [f"CFLAGS={CFLAGS}", f"FFLAGS={FFLAGS}"]
    _compile(folder, ["make", f"-j{os.cpu_count() or 1}", *options, program])
    return (folder / program).resolve()


def _compile(folder: Path, command: list[str]) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "rror" in line] or ["no message"]
        raise RuntimeError(f"{command[0]}: {lines[0]}")


def run_deck(program: Path, folder: Path, name: str, deck: str) -> str:
    """Run a deck; CalculiX' own text.

    Args:
        program: from `build`.
        folder: for the deck and CalculiX' files NAME.inp, NAME.dat, ....
        name: of the deck.
        deck: its text.

    Raises:
        RuntimeError: an analysis that did not come to its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / f"{name}.inp", deck)
    done = subprocess.run(
        [str(program), name],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    # It prints a line for every call of the UMAT.
    lines = [line for line in done.stdout.splitlines() if "umat_abaqusnl" not in line]
    text = "\n".join(lines)
    files.write_text(folder / f"{name}.out", text)
    if done.returncode or "Job finished" not in text:
        errors = [line.strip() for line in lines if "ERROR" in line] or lines[-1:] or ["no output"]
        raise RuntimeError(f"{name}: CalculiX ended with {done.returncode}: {errors[0]}")
    return text


def total_forces(folder: Path, name: str) -> np.ndarray:
    """Times and total forces of a deck, (increments, 4), as `*NODE PRINT, TOTALS=ONLY` writes."""
    text = (folder / f"{name}.dat").read_text(encoding="utf-8")
    blocks = re.findall(r"total force .*? time +(\S+)\s+(\S+) +(\S+) +(\S+)", text)
    return np.array(blocks, float)


def iterations(text: str) -> list[list[tuple[float, float]]]:
    """Residual and correction of every iteration, by increment, as CalculiX prints them.

    Args:
        text: from `run_deck`.

    Returns:
        For each increment its iterations: largest residual force, largest correction of a
        displacement.
    """
    increments: list[list[tuple[float, float]]] = []
    force = 0.0
    for line in text.splitlines():
        if re.match(r" *increment +\d+ +attempt", line):
            increments.append([])
        if match := re.match(r" *largest residual force= *(\S+)", line):
            force = float(match[1])
        if match := re.match(r" *largest correction to disp= *(\S+)", line):
            increments[-1].append((force, float(match[1])))
    return increments


def order(errors: list[float]) -> float:
    """Order of convergence p: the largest log(r₃/r₂)/log(r₂/r₁) of three successive errors.

    The last errors are rounding and would show none. NaN for fewer than three.

    Args:
        errors: positive, of one increment.
    """
    falls = np.diff(np.log(np.maximum(errors, 1e-300)))
    ratios = [b / a for a, b in itertools.pairwise(falls) if a < 0 and b < 0]
    return max(ratios, default=float("nan"))
