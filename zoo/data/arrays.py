"""Arrays of an .npz file as a table: a name for each column, a row of a matrix for each test."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.tables import Columns, Row, Table
from zoo.tables.titles import brief

MAX_BYTES = 64 * 2**20  # of all arrays, as of a CSV file
RATES = {"rate_hz": 1.0, "sampling_rate_hz": 1.0, "fs_hz": 1.0, "rate_khz": 1e3}


@dataclass(frozen=True)
class ArrayRows:
    """Rows of a table that are written as text when they are asked for.

    Attributes:
        columns: vectors of one length; integers are labels.
    """

    columns: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Row]:
        return (self._row(k) for k in range(len(self)))

    @property
    def last(self) -> Row | None:
        """The last row; None: there is none."""
        return self._row(len(self) - 1) if len(self) else None

    def _row(self, k: int) -> Row:
        values = (column[k] for column in self.columns)
        return k + 1, [str(v) if isinstance(v, np.integer) else repr(float(v)) for v in values]


def read_arrays(path: Path, columns: Columns) -> tuple[Table, Columns]:
    """Columns of a file of arrays, and the columns that it states itself.

    A vector is a column of one test. A matrix, (tests, rows), holds a test in each row; a vector of
    as many numbers as there are tests beside it is constant over each. A number called `rate_hz` is
    the sampling rate. Titles end with their unit: `force_n`, `b_t`, `h_a_m`.

    Args:
        path: of the file.
        columns: what the user named.

    Returns:
        The table, whose column `test` labels the tests where there are several; the columns with
        the time step.

    Raises:
        ValueError: in one line: no such file, other arrays, or too large ones.
    """
    arrays = _load(path)
    rates = {name: float(arrays.pop(name)) for name in RATES if name in arrays}
    arrays = {name: array for name, array in arrays.items() if array.ndim in (1, 2)}
    if not arrays:
        raise ValueError(f"{path}: no vectors or matrices. Expected one for each quantity.")
    longest = max(arrays.values(), key=lambda array: array.size)
    tests, rows = (1, len(longest)) if longest.ndim == 1 else longest.shape
    cells = {"test": np.repeat(np.arange(tests), rows)} if tests > 1 else {}
    for name, array in arrays.items():
        if array.shape in ((tests, rows), (rows,)) and array.size == tests * rows:
            cells[name] = array.ravel()
        elif array.shape == (tests,) and tests > 1:
            cells[name] = np.repeat(array, rows)
        else:
            raise ValueError(
                f"{path}: {brief(name)} has shape {array.shape}, expected ({tests}, {rows}) or "
                f"({tests},) as the other arrays."
            )
    table = Table(str(path), 1, list(cells), [], ArrayRows(list(cells.values())), ".")
    if tests > 1 and columns.group is None:
        columns = replace(columns, group="test")
    if rates and columns.time is None and columns.time_step_s is None:
        name, rate = next(iter(rates.items()))
        if not 0 < rate < np.inf:
            raise ValueError(f"{path}: {name} is {rate:g}, expected a number above 0.")
        columns = replace(columns, time_step_s=1 / (RATES[name] * rate))
    return table, columns


def _load(path: Path) -> dict[str, np.ndarray]:
    """Arrays of numbers, in float64; no pickles."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
        if size <= MAX_BYTES:
            with np.load(path, allow_pickle=False) as file:
                return {name: np.asarray(file[name], np.float64) for name in file.files}
    except (OSError, zipfile.BadZipFile, EOFError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: no file of arrays ({type(error).__name__}). Expected one that "
            "numpy.savez wrote."
        ) from None
    raise ValueError(
        f"{path}: {size / 2**20:.0f} MiB of arrays, expected at most {MAX_BYTES // 2**20}. Cut the "
        "record."
    )
