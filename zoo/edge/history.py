"""Strain histories from CSV files, as the input of a stress model, step by step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.tables import Columns, decode, parse_table, read_tests, read_text

FEATURES = ["strain", "rate", "dt"]
_EARLIER = {"stretch": "strain"}  # in manifests before features had aliases


class StrainHistory(NamedTuple):
    """Loading over time.

    Attributes:
        time_s: (steps,) [s].
        x: (steps, 3): strain [-], strain rate [1/s], length of the step [s]; then covariates.
        notes: what was found, assumed and converted in the file, a clause each.
        group: label of the specimen; empty where a file holds a single one.
    """

    time_s: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64]
    notes: tuple[str, ...] = ()
    group: str = ""


def unit_of(manifest: Mapping[str, Any], input_name: str, output_name: str) -> str:
    """Unit of the output of a stress model, after checking that it is one.

    Raises:
        ValueError: not a model of `FEATURES`; the text names its inputs.
    """
    try:
        signature = manifest["signatures"]["step"]
        entry, unit = signature["inputs"][input_name], signature["outputs"][output_name]["unit"]
        features = [_EARLIER.get(each["name"], each["name"]) for each in entry.get("features", [])]
    except (KeyError, TypeError, AttributeError):
        raise ValueError(
            f"The manifest does not describe `{input_name}` and `{output_name}`. Export it again."
        ) from None
    if len(features) != 3 or features[1:] != FEATURES[1:]:
        raise ValueError(
            f"Expected a model of {', '.join(FEATURES)}, or of another loading, its rate and dt, "
            "for a CSV file; this one "
            f"takes `{input_name}`: {', '.join(map(str, features)) or entry.get('meaning')}."
        )
    return str(unit)


def loading_of(manifest: Mapping[str, Any], input_name: str) -> tuple[str, str]:
    """Name and unit of what a model that `unit_of` accepts takes.

    Args:
        manifest: of the model.
        input_name: of its input.
    """
    first = manifest["signatures"]["step"]["inputs"][input_name]["features"][0]
    return str(_EARLIER.get(first["name"], first["name"])), str(first["unit"])


def is_stress_model(manifest: Mapping[str, Any]) -> bool:
    """Whether a saved model steps from strain, rate and time step to stress.

    Args:
        manifest: of the model.
    """
    try:
        unit_of(manifest, "x", "prediction")
    except ValueError:
        return False
    return True


def read_csv(
    source: Path | bytes,
    name: str,
    columns: Columns | None = None,
    loading: tuple[str, str] = ("strain", "-"),
) -> list[StrainHistory]:
    """Read columns of time and strain; the material is at rest before the first row.

    Args:
        source: path of the file, or its content; see `zoo.tables` for what is recognised.
        name: of the file, for messages.
        columns: names and units of the columns; None: recognised.
        loading: name and unit of what the model takes.

    Returns:
        One history a specimen.

    Raises:
        ValueError: naming the line that is wrong.
    """
    text, notes = decode(source, name) if isinstance(source, bytes) else read_text(source)
    tests = read_tests(parse_table(text, name, notes), columns or Columns(), with_stress=False)
    if tests.loading[0] != loading[0]:
        raise ValueError(
            f"{name}: the loading is {tests.loading[0]}, the model takes {loading[0]}. Name its "
            "column by --stretch COLUMN, or give --gauge-length for an elongation."
        )
    if tests.loading[1] != loading[1] and "-" not in (tests.loading[1], loading[1]):
        raise ValueError(
            f"{name}: {loading[0]} in {tests.loading[1]}, the model takes {loading[1]}. Convert "
            "the column."
        )
    histories: list[StrainHistory] = []
    for series in tests.series:
        if len(series.lines) < 2:
            raise ValueError(
                f"{name}, line {series.lines[-1]}: {len(series.lines)} rows of data, expected at "
                "least 2."
            )
        time_s, strain = np.array(series.time_s), np.array(series.strain)
        # the first step is as long as the second
        dt = np.diff(time_s, prepend=2 * time_s[0] - time_s[1])
        rate = np.diff(strain, prepend=0.0 if series.is_held else strain[0]) / dt
        fixed = [np.full(len(time_s), value) for value in series.covariates.values()]
        x = np.stack([strain, rate, dt, *fixed], axis=-1)
        histories.append(StrainHistory(time_s, x, tuple(tests.notes), series.group))
    return histories
