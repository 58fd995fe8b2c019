"""Every law on every measured data set, each with the split that the recipe fixes."""

import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.materials import oscillator
from recipes.materials.measured_sets import READERS, Fold, MeasuredSet, counted, read_set
from recipes.materials.settings import BOARD_SETS, BoardSettings
from zoo import presets
from zoo.data.split import Quantity, Split
from zoo.files import hold_folder, write_text
from zoo.identification.fit import Identification, Search, fit_response, refit
from zoo.identification.response import Response
from zoo.presets.covariates import with_covariates
from zoo.progress import say
from zoo.report import Column, Table

PUBLISHED = Path(__file__).parent / "board.md"
REACH = 6.0  # a factor of 400 around the first guess, for constants that go by their logarithm
BY = "+covariates"  # ends the name of a law whose constants depend on the covariates of a set
RIDGE = 0.01  # of the learnt curve of relaxation, as in `zoo identify`


@dataclass(frozen=True)
class LawResult:
    """One law on one data set.

    Attributes:
        data_set: name.
        law: name of the preset.
        parameters: number of fitted constants.
        learnt: mean RMSE/RMS over the learnt paths of all folds [-].
        mean: the same over held-out paths.
        worst: largest over held-out paths.
        unloading: mean RMSE/RMS of a part of the held-out paths after one factor a path, fitted on
            the part before it: unloading after loading, or as `MeasuredSet.factor` says; None where
            the set has no such part.
        seconds: of all fits.
        starts: of each fit.
        errors: path -> RMSE/RMS, held out.
        constants: of the first fold, name -> value, low, high; an open or unknown end is None.
        warnings: of the first fold.
    """

    data_set: str
    law: str
    parameters: int
    learnt: float
    mean: float
    worst: float
    unloading: float | None
    seconds: float
    starts: int
    errors: dict[str, float]
    constants: dict[str, list[float | None]]
    warnings: list[str]


def run(settings: BoardSettings) -> None:
    """Fit what is missing, then write table and notes of all there is."""
    hold_folder(settings.folder)
    sets = [
        read_set(name, settings.data, settings.warm_up) for name in settings.sets if name in READERS
    ]
    for each in sets:
        for law in settings.laws or each.laws:
            if law in each.laws:
                _run_law(settings, each, law)
    if "bouc_wen" in settings.sets:
        file = settings.folder / "bouc_wen.json"
        if not file.is_file():
            write_text(file, json.dumps(oscillator.fit_benchmark(settings.data), indent=1))
    write_text(settings.folder / "board.md", board_text(settings, sets))
    say(f"board: {settings.folder / 'board.md'}")
    if settings.publish:
        published = PUBLISHED.read_text(encoding="utf-8") if PUBLISHED.is_file() else ""
        write_text(PUBLISHED, merge_boards(published, board_text(settings, sets)))


def merge_boards(before: str, now: str) -> str:
    """The sections of a board, each replaced by that of a later board that has it.

    Args:
        before: Markdown of a board; may be empty.
        now: of the later one, whose introduction is kept.
    """
    head, *sections = now.split("\n## ")
    named = {section.split("\n")[0]: section for section in before.split("\n## ")[1:]}
    named |= {section.split("\n")[0]: section for section in sections}
    order = [*(name for name in BOARD_SETS if name in named), *named]
    parts = [named[name].rstrip("\n") for name in dict.fromkeys(order)]
    return "\n\n## ".join([head.rstrip("\n"), *parts]) + "\n"


def fit_law(
    data_set: MeasuredSet, law: str, starts: int
) -> tuple[LawResult, keras.Model, Identification]:
    """Fit a law to every fold of a data set, with one compiled response for all.

    First guesses are measured on the first fold's learnt paths; the learnt and the held-out errors
    are those of each fold's own fit.

    Args:
        data_set: tests and folds.
        law: name of a preset.
        starts: first guesses of each fit.

    Returns:
        The result; the model with the constants of the first fold; that fold's identification.
    """
    begin, data_set = time.perf_counter(), with_covariates_of(data_set, law)
    data = data_set.data
    first = data.select(data_set.folds[0].learn)
    model = law_model(data_set, law, first)
    response = Response(model, data.x)
    initial, kept = response.start(), None
    learnt: list[float] = []
    held: dict[str, float] = {}
    unloading: list[float] = []
    for fold in data_set.folds:
        if kept is not None and law.endswith(BY):  # many weights: from where the first fold ended
            response.counts = _learnt(data_set, fold)
            unit = data.targets[0].unit
            weights = refit(response, data.y, kept[1], initial, RIDGE, unit, each_path=True)
            fitted = response.history(weights)[..., 0]
        else:
            response.set_model_weights(initial)
            result = _fit_fold(response, data_set, fold, law, starts)
            fitted, kept = result.fitted, kept or (result, response.start())
        say(f"{fold.name}: done")
        own = path_errors(data_set, fitted)
        learnt += [own[k] for k in fold.learn]
        held |= {str(data.groups[k]): own[k] for k in fold.score}
        if data_set.name == "vhb4910":
            unloading += [unloading_error(data_set, fitted, k) for k in fold.score]
        elif data_set.factor:
            unloading += [rest_error(data_set, fitted, k) for k in fold.score]
    assert kept is not None
    response.set_model_weights(kept[1])
    outcome = LawResult(
        data_set.name,
        law,
        model.count_params(),
        float(np.mean(learnt)),
        float(np.mean(list(held.values()))),
        float(np.max(list(held.values()))),
        float(np.mean(unloading)) if unloading else None,
        time.perf_counter() - begin,
        starts,
        held,
        {n: [_finite(v) for v in (e.value, e.low, e.high)] for n, e in kept[0].estimates.items()},
        list(kept[0].warnings),
    )
    return outcome, model, kept[0]


def path_errors(data_set: MeasuredSet, fitted: np.ndarray) -> list[float]:
    """RMSE/RMS of every path [-].

    Args:
        data_set: measured.
        fitted: stress, (paths, time).
    """
    errors = []
    for path in range(len(data_set.data.x)):
        keep = counted(data_set.data, path)
        truth = data_set.data.y[path, keep, 0].astype(np.float64)
        gap = fitted[path, keep] - truth
        errors.append(float(np.sqrt(np.mean(gap**2) / np.mean(truth**2))))
    return errors


def with_covariates_of(data_set: MeasuredSet, law: str) -> MeasuredSet:
    """The set with its covariates as further features, if the name of a law ends in `BY`.

    Args:
        data_set: with covariates.
        law: name of a preset, or that with `BY`.
    """
    if not law.endswith(BY):
        return data_set
    data, names = data_set.data, list(data_set.covariates)
    values = np.array([data_set.covariates[name] for name in names], np.float32).T
    features = np.broadcast_to(values[:, None], (*data.x.shape[:2], len(names)))
    inputs = (*data.inputs, *(Quantity(name, "-", "level, constant over a test") for name in names))
    x = np.concatenate([data.x, features], axis=-1)
    return replace(data_set, data=replace(data, x=x, inputs=inputs))


def law_model(data_set: MeasuredSet, law: str, data: Split) -> keras.Model:
    """Model of a law with first guesses from data.

    Args:
        data_set: that the law is for.
        law: name of a preset, or that with `BY`.
        data: paths that are learnt.
    """
    name = law.removesuffix(BY)
    dashpot = {"dashpot": False} if name == "bouc-wen" and not data_set.has_time else {}
    preset = presets.material(name, **dashpot)
    if law.endswith(BY):
        preset = with_covariates(preset, tuple(data_set.covariates))
    return preset.build(data.x, data.y, data.weight)


def rest_error(data_set: MeasuredSet, fitted: np.ndarray, path: int) -> float:
    """RMSE/RMS of the last two thirds of a path with one factor, fitted on its first third.

    Args:
        data_set: measured.
        fitted: response, (paths, time).
        path: which one.
    """
    keep = counted(data_set.data, path)
    truth = data_set.data.y[path, keep, 0].astype(np.float64)
    own, end = fitted[path, keep], keep.sum() // 3
    factor = own[:end] @ truth[:end] / (own[:end] @ own[:end])
    gap = factor * own[end:] - truth[end:]
    return float(np.sqrt(np.mean(gap**2) / np.mean(truth[end:] ** 2)))


def unloading_error(data_set: MeasuredSet, fitted: np.ndarray, path: int) -> float:
    """RMSE/RMS of the unloading branch with one stiffness factor, fitted on the loading branch."""
    keep = counted(data_set.data, path)
    truth = data_set.data.y[path, keep, 0].astype(np.float64)
    own, top = fitted[path, keep], int(np.argmax(data_set.data.x[path, keep, 0])) + 1
    factor = own[:top] @ truth[:top] / (own[:top] @ own[:top])
    gap = factor * own[top:] - truth[top:]
    return float(np.sqrt(np.mean(gap**2) / np.mean(truth[top:] ** 2)))


def board_text(settings: BoardSettings, sets: Sequence[MeasuredSet]) -> str:
    """The board as Markdown: a table a data set, what is held out, floors, the command."""
    parts = [
        "# Laws on measured tests\n",
        "RMSE/RMS of the stress of each path [%]: mean over the learnt paths, mean and worst over "
        "the held-out ones. Laws have no other freedom than their constants; first guesses come "
        "from the learnt data.\n",
    ]
    for each in sets:
        results = [_read(settings, each.name, law) for law in each.laws]
        known = [result for result in results if result is not None]
        if known:
            parts.append(_section(each, known))
            parts.append(_made_by(settings, each.name, known))
    file = settings.folder / "bouc_wen.json"
    if file.is_file():
        parts.append(oscillator.section(json.loads(file.read_text(encoding="utf-8"))))
        parts.append(_made_by(settings, "bouc_wen", []))
    return "\n".join(parts)


def _made_by(settings: BoardSettings, name: str, results: Sequence[LawResult]) -> str:
    """The command of one section."""
    command = ["python", "-m", "recipes.materials", "board", "--data", "PATH", "--sets", name]
    command += ["--warm-up", str(settings.warm_up)] if settings.warm_up else []
    starts = max((each.starts for each in results), default=settings.starts)
    return f"Made by\n\n    {shlex.join([*command, '--starts', str(starts)])}\n"


def _section(data_set: MeasuredSet, results: Sequence[LawResult]) -> str:
    columns = ["law", "constants", "starts", "learnt", "mean", "worst"]
    has_factor = any(result.unloading is not None for result in results)
    columns += [data_set.factor or "unloading, one factor a specimen"] * has_factor
    rows = []
    for each in sorted(results, key=lambda result: result.mean):
        row: list[Any] = [each.law, each.parameters, each.starts]
        row += [100 * value for value in (each.learnt, each.mean, each.worst)]
        row += [100 * each.unloading if each.unloading is not None else None] * has_factor
        rows.append(row)
    number = [None, None, None, *[".1f"] * (len(columns) - 3)]
    table = Table(
        [Column(c, number=n) if n else Column(c) for c, n in zip(columns, number, strict=True)],
        rows,
        "",
    )
    lines = [f"## {data_set.name}\n", data_set.what, data_set.split, "", table.markdown()]
    if missing := [law for law in data_set.laws if law not in {each.law for each in results}]:
        lines += ["", f"Not run: {', '.join(missing)}."]
    if data_set.floor:
        lines += ["", "Floor:", "", *(f"- {line}" for line in data_set.floor)]
    return "\n".join(lines) + "\n"


def _fit_fold(
    response: Response, data_set: MeasuredSet, fold: Fold, law: str, starts: int
) -> Identification:
    data = data_set.data
    response.counts = _learnt(data_set, fold)
    ridge = RIDGE if law in ("relaxation", "convex") or law.endswith(BY) else 0.0
    return fit_response(
        response,
        data.y,
        unit=data.targets[0].unit,
        search=Search(starts, 0, ridge, True, REACH),
        say=say,
    )


def _learnt(data_set: MeasuredSet, fold: Fold) -> np.ndarray:
    """Which samples a fold learns from, (paths, time) bool."""
    counts = np.zeros(data_set.data.x.shape[:2], bool)
    for path in fold.learn:
        counts[path] = counted(data_set.data, path)
    return counts


def _run_law(settings: BoardSettings, data_set: MeasuredSet, law: str) -> None:
    file = settings.folder / f"{data_set.name}-{law}.json"
    if file.is_file():
        return
    say(f"{data_set.name}: {law}")
    result, _, _ = fit_law(data_set, law, settings.starts)
    write_text(file, json.dumps(asdict(result), indent=1))
    say(
        f"{data_set.name}: {law}: learnt {100 * result.learnt:.1f} %, held out "
        f"{100 * result.mean:.1f} % mean, {100 * result.worst:.1f} % worst, "
        f"{result.seconds:.0f} s"
    )


def _read(settings: BoardSettings, data_set: str, law: str) -> LawResult | None:
    file = settings.folder / f"{data_set}-{law}.json"
    if not file.is_file():
        return None
    return LawResult(**json.loads(file.read_text(encoding="utf-8")))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
