"""Every law on every measured data set, each with the split that the recipe fixes."""

import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipes.materials import oscillator
from recipes.materials.board_networks import UNITS, fit_network
from recipes.materials.board_scores import BY, SHIFT, FoldScores, LawResult, with_covariates_of
from recipes.materials.measured_sets import READERS, Fold, MeasuredSet, counted, read_set
from recipes.materials.settings import BOARD_SETS, BoardSettings
from zoo import presets
from zoo.data.split import Split
from zoo.files import hold_folder, write_text
from zoo.identification.fit import Identification, Search, fit_response, refit
from zoo.identification.linear import LinearLaw
from zoo.identification.response import Response
from zoo.presets.covariates import with_covariates
from zoo.progress import say
from zoo.report import Column, Table
from zoo.targets import check_output_folder

PUBLISHED = Path(__file__).parent / "board.md"
REACH = 6.0  # a factor of 400 around the first guess, for constants that go by their logarithm
LINEAR = ("dynamic-prandtl",)  # fitted in closed form
OSCILLATOR = {  # file of the results -> what fits and measures
    "bouc_wen.json": oscillator.fit_benchmark,
    "bouc_wen_black_box.json": oscillator.measure_black_box,
}
LINEAR_RIDGE = 1e-3  # of the mean square of each term
RIDGE = 0.01  # of the learnt curve of relaxation, as in `zoo identify`


def run(settings: BoardSettings) -> None:
    """Fit what is missing, then write table and notes of all there is.

    Raises:
        ValueError: a folder that cannot be written, data that are not there, or a law that none of
            the sets has.
    """
    check_output_folder(settings.folder)
    hold_folder(settings.folder)
    sets = [
        read_set(name, settings.data, settings.warm_up) for name in settings.sets if name in READERS
    ]
    known = list(dict.fromkeys(law for each in sets for law in each.laws))
    unknown = [law for law in settings.laws if law not in known]
    if unknown:
        raise ValueError(
            f"No data set has the law {', '.join(unknown)}. Expected some of {', '.join(known)}."
        )
    for each in sets:
        for law in settings.laws or each.laws:
            if law in each.laws:
                _run_law(settings, each, law)
    if "bouc_wen" in settings.sets:
        for name, measure in OSCILLATOR.items():
            file = settings.folder / name
            if not file.is_file():
                write_text(file, json.dumps(measure(settings.data), indent=1))
    write_text(settings.folder / "board.md", board_text(settings, sets))
    say(f"board: {settings.folder / 'board.md'}")
    if settings.publish:
        published = PUBLISHED.read_text(encoding="utf-8") if PUBLISHED.is_file() else ""
        write_text(PUBLISHED, merge_boards(published, board_text(settings, sets)))


def merge_boards(before: str, now: str) -> str:
    """The sections of a board, each joined with that of a later board that has it.

    Rows of laws that the later one did not run are kept where data and split are the same, which
    stand above the table.

    Args:
        before: Markdown of a board; may be empty.
        now: of the later one, whose introduction is kept.
    """
    head, *sections = now.split("\n## ")
    named = {section.split("\n")[0]: section for section in before.split("\n## ")[1:]}
    for section in sections:
        name = section.split("\n")[0]
        named[name] = _merge_sections(named[name], section) if name in named else section
    order = [*(name for name in BOARD_SETS if name in named), *named]
    parts = [named[name].rstrip("\n") for name in dict.fromkeys(order)]
    return "\n\n## ".join([head.rstrip("\n"), *parts]) + "\n"


def _merge_sections(before: str, now: str) -> str:
    """A section with the rows and commands of an earlier one that it does not have."""
    old, new = ([*each.rstrip("\n").split("\n")] for each in (before, now))
    tables = [[k for k, line in enumerate(lines) if line.startswith("| ")] for lines in (old, new)]
    if not all(tables) or old[: tables[0][0]] != new[: tables[1][0]]:
        return now
    cells = [
        [_cells(lines[k]) for k in rows] for lines, rows in zip((old, new), tables, strict=True)
    ]
    titles = max((cells[1][0], cells[0][0]), key=len)
    if titles[: len(cells[0][0])] != cells[0][0] or titles[: len(cells[1][0])] != cells[1][0]:
        return now
    rule = max((old[tables[0][1]], new[tables[1][1]]), key=len)
    rows = {row[0]: row for row in (*cells[0][2:], *cells[1][2:])}  # the later one's win
    full = [[*row, *["–"] * (len(titles) - len(row))] for row in rows.values()]
    full.sort(key=lambda row: float(row[titles.index("mean")]))
    table = [_line(titles), rule, *(_line(row) for row in full)]
    rest = []
    for line in new[tables[1][-1] + 1 :]:
        if line.startswith("Not run: "):
            names = [n for n in line[9:].rstrip(".").split(", ") if n not in rows]
            line = f"Not run: {', '.join(names)}." if names else ""
        rest.append(line)
    commands = [line for line in old if line.startswith("    ") and line not in rest]
    return "\n".join([*new[: tables[1][0]], *table, *rest, *commands]) + "\n"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


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
    scores = FoldScores(data_set)
    for fold in data_set.folds:
        if kept is not None and law.endswith(
            (BY, SHIFT)
        ):  # many weights: from where the first fold ended
            response.counts = _learnt(data_set, fold)
            unit = data.targets[0].unit
            weights = refit(response, data.y, kept[1], initial, RIDGE, unit, each_path=True)
            fitted = response.history(weights)[..., 0]
        else:
            response.set_model_weights(initial)
            result = _fit_fold(response, data_set, fold, law, starts)
            fitted, kept = result.fitted, kept or (result, response.start())
        say(f"{fold.name}: done")
        scores.add(fold, fitted)
    assert kept is not None
    response.set_model_weights(kept[1])
    outcome = scores.result(
        law,
        model.count_params(),
        time.perf_counter() - begin,
        starts=starts,
        constants={
            name: [float(v) if np.isfinite(v) else None for v in (each.value, each.low, each.high)]
            for name, each in kept[0].estimates.items()
        },
        warnings=list(kept[0].warnings),
    )
    return outcome, model, kept[0]


def fit_linear_law(data_set: MeasuredSet, law: str) -> LawResult:
    """Fit a law that is linear in its weights to every fold, in closed form.

    Where the set has a given past, each path starts from the state that its own past tells; only
    the weights and the share of the last offset that stays are learnt, from the learnt paths.

    Args:
        data_set: tests and folds.
        law: name of a preset of `LINEAR`, or that with `BY`.
    """
    begin, data_set = time.perf_counter(), with_covariates_of(data_set, law)
    data = data_set.data
    model = law_model(data_set, law, data.select(data_set.folds[0].learn))
    linear = LinearLaw(model, data.x, data.y[..., 0], data_set.given)
    scores = FoldScores(data_set)
    for fold in data_set.folds:
        counts = _learnt(data_set, fold)
        shape = linear.fit_shape(counts, LINEAR_RIDGE).fitted if data_set.factor else None
        scores.add(fold, linear.fit(counts, LINEAR_RIDGE).fitted, shape)
    parameters = model.count_params() + (1 if data_set.given else 0)
    return scores.result(law, parameters, time.perf_counter() - begin, starts=1)


def law_model(data_set: MeasuredSet, law: str, data: Split) -> keras.Model:
    """Model of a law with first guesses from data.

    Args:
        data_set: that the law is for.
        law: name of a preset, or that with `BY` or `SHIFT`.
        data: paths that are learnt.
    """
    name = law.removesuffix(BY).removesuffix(SHIFT)
    dashpot = {"dashpot": False} if name == "bouc-wen" and not data_set.has_time else {}
    preset = presets.material(name, **dashpot)
    if law.endswith((BY, SHIFT)):
        names = tuple(data_set.covariates)
        preset = with_covariates(preset, names, shared=law.endswith(SHIFT))
    return preset.build(data.x, data.y, data.weight)


def board_text(settings: BoardSettings, sets: Sequence[MeasuredSet]) -> str:
    """The board as Markdown: a table a data set, what is held out, floors, the command."""
    parts = [
        "# Laws on measured tests\n",
        "RMSE/RMS of the stress of each path [%]: mean over the learnt paths, mean and worst over "
        "the held-out ones. Laws have no other freedom than their constants; first guesses come "
        f"from the learnt data. Networks have one layer of {UNITS} units; every fifth learnt path, "
        "or the last one, chose their weights.\n",
    ]
    for each in sets:
        results = [_read(settings, each.name, law) for law in each.laws]
        known = [result for result in results if result is not None]
        if known:
            parts.append(_section(each, known))
            parts.append(_made_by(settings, each.name, known))
    files = [settings.folder / name for name in OSCILLATOR]
    if all(file.is_file() for file in files):
        grey, black = (json.loads(file.read_text(encoding="utf-8")) for file in files)
        parts.append(oscillator.section(grey, black))
        parts.append(_made_by(settings, "bouc_wen", []))
    return "\n".join(parts)


def _made_by(settings: BoardSettings, name: str, results: Sequence[LawResult]) -> str:
    """The command of one section."""
    command = ["python", "-m", "recipes.materials", "board", "--data", "PATH", "--sets", name]
    command += ["--laws", *settings.laws] if settings.laws else []
    if any(each.law.removesuffix(BY) in presets.RECURRENT for each in results):
        command += ["--steps", str(settings.steps)]
    command += ["--warm-up", str(settings.warm_up)] if settings.warm_up else []
    starts = max((each.starts for each in results), default=settings.starts)
    return f"Made by\n\n    {shlex.join([*command, '--starts', str(starts)])}\n"


def _section(data_set: MeasuredSet, results: Sequence[LawResult]) -> str:
    columns = ["law", "constants", "starts", "learnt", "mean", "worst"]
    extra = []
    if any(result.unloading is not None for result in results):
        extra.append(("unloading", data_set.factor or "unloading, one factor a specimen"))
    if any(result.calibrated is not None for result in results):
        extra.append(("calibrated", "the same with one factor and one offset"))
    columns += [title for _, title in extra]
    rows = []
    for each in sorted(results, key=lambda result: result.mean):
        row: list[Any] = [each.law, each.parameters, each.starts]
        row += [100 * value for value in (each.learnt, each.mean, each.worst)]
        for name, _ in extra:
            value = getattr(each, name)
            row.append(None if value is None else 100 * value)
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
    ridge = RIDGE if law in ("relaxation", "convex") or law.endswith((BY, SHIFT)) else 0.0
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
    file = _result_file(settings, data_set.name, law)
    if file.is_file():
        return
    say(f"{data_set.name}: {law}")
    if law.removesuffix(BY) in presets.RECURRENT:
        result = fit_network(data_set, law, settings.steps)
    elif law.removesuffix(BY) in LINEAR:
        result = fit_linear_law(data_set, law)
    else:
        result, _, _ = fit_law(data_set, law, settings.starts)
    write_text(file, json.dumps(asdict(result), indent=1))
    say(
        f"{data_set.name}: {law}: learnt {100 * result.learnt:.1f} %, held out "
        f"{100 * result.mean:.1f} % mean, {100 * result.worst:.1f} % worst, "
        f"{result.seconds:.0f} s"
    )


def _result_file(settings: BoardSettings, data_set: str, law: str) -> Path:
    """File of a result under these settings: one of another past or budget is another result.

    Fits of other numbers of starts stand on one board, which has a column of them.
    """
    past = f"-warm-up-{settings.warm_up}" if settings.warm_up else ""
    is_network = law.removesuffix(BY) in presets.RECURRENT
    budget = f"-{settings.steps}-steps" if is_network else ""
    return settings.folder / f"{data_set}-{law}{past}{budget}.json"


def _read(settings: BoardSettings, data_set: str, law: str) -> LawResult | None:
    file = _result_file(settings, data_set, law)
    if not file.is_file():
        return None
    return LawResult(**json.loads(file.read_text(encoding="utf-8")))
