"""Presets of material cells whose constants depend on covariates, and what they are measured by."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from zoo.cells.material.covariates import CovariateCell
from zoo.presets.sequences import Preset
from zoo.recurrent import recurrent_model


def with_covariates(preset: Preset, names: Sequence[str], *, shared: bool = False) -> Preset:
    """The same law with constants that are log-linear in covariates, see `CovariateCell`.

    Args:
        preset: of one material cell.
        names: of the covariates, which stand behind strain, rate and dt.
        shared: one shift of all stiffnesses and one of all times, see `CovariateCell`.
    """

    def build(
        x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **settings: Any
    ) -> keras.Model:
        inner = preset.build(x[..., :3], y, weight, **settings)
        cell = next(layer.cell for layer in inner.layers if hasattr(layer, "cell"))
        values = np.asarray(x[:, 0, 3:], np.float64)  # constant over a path
        spread = values.std(axis=0)
        whole = CovariateCell(
            cell,
            names,
            values.mean(axis=0).tolist(),
            np.where(spread > 0, spread, 1.0).tolist(),
            shared,
        )
        name = f"{inner.name}-covariates"
        return recurrent_model([whole], features=x.shape[-1], targets=None, name=name)

    listed = ", ".join(names)
    what = "shifted" if shared else "constants"
    return replace(preset, build=build, description=f"{preset.description}, {what} by {listed}")
