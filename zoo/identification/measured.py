"""Constants of a material from a user's CSV file: fit, report page, exported model."""

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.data import long_tests, measured
from zoo.data.columns import Columns
from zoo.data.inertia import force_as_loading, shows_inertia
from zoo.data.long_tests import cut_start, fewer_specimens, thin_out
from zoo.data.split import Split
from zoo.edge.past import PastStart
from zoo.identification.candidates import (
    COMPARED_ROWS,
    COMPARED_SAMPLES,
    FITTED_ROWS,
    MAX_ROWS,
    PROFILED_ROWS,
    PROFILED_SAMPLES,
    Candidate,
    FittedLaw,
    candidate_preset,
)
from zoo.identification.fit import (
    Found,
    Identification,
    Search,
    describe_fit,
    fit_response,
    refit,
)
from zoo.identification.linear_fit import LINEAR_LAWS, LinearFolds, rows_of_past
from zoo.identification.page import (
    constants_table,
    identification_entry,
    identification_report,
    initial_state_table,
    laws_table,
    proposal_entry,
    sentence,
)
from zoo.identification.proposal import Proposal, held_out_folds, propose, rate_warning
from zoo.identification.response import Response
from zoo.identification.settings import OSCILLATOR, RATE_INDEPENDENT, IdentificationSettings
from zoo.metrics.regression import Predictor
from zoo.progress import say
from zoo.recurrent import predictor
from zoo.stress.checks import at_limit, beginning_loaded, stress_controlled
from zoo.stress.experiment import Experiment
from zoo.stress.exporting import export_stress_model
from zoo.stress.scoring import fit_laws, score_all
from zoo.stress.trained import TrainedModel

TEXT_WIDTH = 100  # columns of the terminal


@dataclass(frozen=True)
class IdentifiedTest:
    """A law fitted to a measured test.

    Attributes:
        candidate: the law.
        result: constants, intervals, warnings.
        data: the test, as it was fitted.
        trained: the fitted model, its scores and description.
        proposal: all laws that were compared; None if the law was given.
        start: how the model starts from the measured past of a record; None where it is at rest.
    """

    candidate: Candidate
    result: Identification
    data: Split
    trained: TrainedModel
    proposal: Proposal | None = None
    start: PastStart | None = None


def identify_csv(settings: IdentificationSettings) -> Identification:
    """Read a test, fit a law to it, write the report page and the exported model.

    Args:
        settings: test, law, and where the results go.

    Raises:
        ValueError: in one line: a test that cannot be read, before anything is written; a model
            that cannot be exported, when the report is.
    """
    identified = fit_csv(settings)
    write_results(identified, settings)
    return identified.result


def fit_csv(settings: IdentificationSettings) -> IdentifiedTest:
    """Read a test and fit a law to it, the given one or the best of all.

    Args:
        settings: test, law, and where the results will go.

    Raises:
        ValueError: in one line.
    """
    settings.paths.check()
    columns, has_time = _columns(settings)
    data = measured.read_csv(settings.csv, columns, cycles=settings.cycles)
    is_free = settings.law in (None, OSCILLATOR)
    if is_free and has_time and columns.stretch is None and shows_inertia(data):
        data = force_as_loading(data)
        say(data.notes[-1])
    data = measured.warm_up(data, settings.warm_up)
    data = _thinned(data, long_tests.MAX_ROWS)
    part = cut_start(data, FITTED_ROWS)
    if part.sentence:
        say(f"identified from {part.sentence}")
        data = replace(part.data, notes=(*data.notes, f"identified from {part.sentence}"))
    if not settings.free_initial_state:
        before = len(data.notes)
        data = measured.zero_at_rest(data)
        for note in data.notes[before:]:
            say(note)
    if not settings.free_initial_state and not settings.warm_up:
        data = _note_beginning(data)
    _check_covariates(data)
    clauses = at_limit(data)
    if creeping := stress_controlled(data):
        of = f" of {', '.join(creeping)}" if any(creeping) else ""
        held = f"the stress{of} was held while strain went on changing (stress-controlled)"
        clauses.insert(0, held)
    for clause in clauses:
        say(f"warning: {clause}")
    if settings.law is None:
        identified = _best_law(data, settings, has_time)
    else:
        by = settings.columns.covariates
        law = Candidate(settings.law, settings.branches, has_time, by, settings.shift)
        identified = _given_law(data, law, settings)
    result = identified.result
    return replace(identified, result=replace(result, warnings=(*clauses, *result.warnings)))


def _note_beginning(data: Split) -> Split:
    """Say that records do not begin at rest, and what to give."""
    loaded = beginning_loaded(data)
    if not loaded:
        return data
    response = data.targets[0].name
    of = f" in {len(loaded)} of {len(data.x)} specimens" if len(data.x) > 1 else ""
    note = (
        f"the {response} does not begin near zero{of}, while laws begin at rest: give --warm-up N, "
        f"first rows whose {response} tells the state, and judge laws by what follows"
    )
    say(f"warning: {note}")
    return replace(data, notes=(*data.notes, note))


def _check_covariates(data: Split) -> None:
    """Refuse a covariate that is the same in all specimens: nothing shows what it does."""
    for k, quantity in enumerate(data.inputs[3:], 3):
        values = data.x[:, 0, k]
        if (values == values[0]).all():
            raise ValueError(
                f"{quantity.name!r} is {values[0]:g} in every specimen, expected a covariate that "
                "differs between some. Leave out --covariate, or add specimens at other values; "
                "--group COLUMN says which rows are of one specimen."
            )


def _best_law(data: Split, settings: IdentificationSettings, has_time: bool) -> IdentifiedTest:
    data = _thinned(data, MAX_ROWS)
    part, what = _compared_part(data)
    if what:
        say(f"laws are compared on {what}; the chosen one is fitted to all")
    proposal = propose(
        part,
        has_time=has_time,
        starts=settings.starts,
        seed=settings.seed,
        has_past=settings.warm_up > 0,
        say=say,
    )
    winner = proposal.winner
    result, start = _described(winner, part, data, settings, is_part=bool(what))
    if line := rate_warning(proposal, data):
        result = replace(result, warnings=(*result.warnings, line))
    experiment = _experiment(data, has_time)
    if what:
        experiment.limits.append(f"Laws were compared on {what}.")
    experiment.limits.append(
        f"Chosen among {len(proposal.ranked)} laws by cross-validation ({proposal.split})."
    )
    if start is not None:
        experiment.limits.append(_start_sentence(start, data))
    name, laws = winner.candidate.name, proposal.scores
    scores = {name: laws.pop(name), **laws}
    preset = candidate_preset(winner.candidate, data)
    trained = TrainedModel(
        winner.model,
        preset.description,
        experiment,
        scores,
        settings.command,
        recommendation=proposal.choice.text,
    )
    return IdentifiedTest(winner.candidate, result, data, trained, proposal, start)


def _described(
    winner: FittedLaw, part: Split, data: Split, settings: IdentificationSettings, *, is_part: bool
) -> tuple[Identification, PastStart | None]:
    """Constants of the chosen law with intervals, and how it starts from a past.

    Args:
        winner: fitted to `part`.
        part: what laws were compared on.
        data: the whole test.
        settings: of the search.
        is_part: whether the part is less than the test, and the law has to be fitted to all.
    """
    law = winner.candidate
    say(f"intervals of {law.name}")
    assert winner.response is not None  # `propose` keeps it
    if law.law in LINEAR_LAWS:
        if not is_part:
            return winner.result, winner.start
        response = Response(winner.model, data.x, data.weight, data.inputs[0].unit)
        return _fit_linear(response, data, law, settings)
    found, response = winner.result.found, winner.response
    if is_part:
        found, response = _fitted_to_all(winner, part, data)
    unit, search = data.targets[0].unit, _search_of(settings, law, data)
    return describe_fit(response, data.y, found, unit=unit, search=search), None


def _start_sentence(start: PastStart, data: Split) -> str:
    """What a user of the model has to know of its start from the past."""
    return (
        f"A record begins with {start.seconds:.4g} s whose {data.targets[0].name} was measured "
        "(`zoo predict` reads them; `start_from_past` of the manifest, `zoo.edge.past.PastStart`): "
        "they tell a preload and an offset. Without them the model begins in the virgin state."
    )


def _compared_part(data: Split) -> tuple[Split, str]:
    """What laws are compared on, where all of a test would take an hour; and that in words."""
    start = cut_start(data, COMPARED_ROWS)
    few = fewer_specimens(start.data, COMPARED_SAMPLES)
    return few.data, "; ".join(each.sentence for each in (few, start) if each.sentence)


def _fitted_to_all(winner: FittedLaw, part: Split, data: Split) -> tuple[Found, Response]:
    """The chosen law, compared on a part of a long test, fitted to all of it from there."""
    assert winner.response is not None
    first = candidate_preset(winner.candidate, part).build(part.x, part.y, part.weight)
    centre = Response(first, part.x).start()  # which a ridge pulls to
    response = Response(winner.model, data.x, data.weight, data.inputs[0].unit)
    weights = refit(
        response,
        data.y,
        winner.result.found.weights,
        centre,
        winner.candidate.ridge,
        data.targets[0].unit,
    )
    response.set_model_weights(weights)
    return replace(winner.result.found, weights=weights), response


def _fit_linear(
    response: Response, data: Split, law: Candidate, settings: IdentificationSettings
) -> tuple[Identification, PastStart | None]:
    """A linear law fitted to a whole test in closed form, started from the past of each path."""
    given = rows_of_past(data) if settings.warm_up else 0
    linear = LinearFolds(response, data, list(held_out_folds(data)), given)
    fit = linear.fit()
    return linear.describe(fit, data, Search(1, 0, law.ridge)), linear.start(fit)


def _search_of(settings: IdentificationSettings, law: Candidate, data: Split) -> Search:
    """How constants are fitted; intervals are profiled where that does not take an hour."""
    paths, rows = data.x.shape[:2]
    is_short = rows <= PROFILED_ROWS and paths * rows <= PROFILED_SAMPLES
    if not is_short:
        say(f"{paths * rows:,} samples: intervals are linearised, not profiled")
    return Search(settings.starts, settings.seed, law.ridge, profile=is_short)


def _given_law(data: Split, law: Candidate, settings: IdentificationSettings) -> IdentifiedTest:
    preset = candidate_preset(law, data)
    model = preset.build(data.x, data.y, data.weight)
    say(f"{preset.description}: {model.count_params()} weights, {settings.starts} starts")
    response = Response(
        model,
        data.x,
        data.weight,
        data.inputs[0].unit,
        free_initial_state=settings.free_initial_state,
    )
    start = None
    if law.law in LINEAR_LAWS and not settings.free_initial_state:
        result, start = _fit_linear(response, data, law, settings)
    else:
        unit, search = data.targets[0].unit, _search_of(settings, law, data)
        result = fit_response(response, data.y, unit=unit, search=search, say=say)
    experiment = _experiment(data, law.has_time)
    laws = {} if law.covariates else fit_laws(data)  # those know no covariates
    predict = predictor(model)
    if start is not None:
        predict = _fitted_response(result)
        experiment.limits.append(_start_sentence(start, data))
    if result.initial_state is not None:
        predict = _fitted_response(result)
        experiment.limits.append(
            "The state before the first row of each specimen was fitted with the constants "
            "(`initial_state`): errors are those from there. The saved model begins at rest."
        )
    scores = score_all(law.law, predict, laws, experiment)
    trained = TrainedModel(model, preset.description, experiment, scores, settings.command)
    return IdentifiedTest(law, result, data, trained, start=start)


def _fitted_response(result: Identification) -> Predictor:
    """Answers to the loading of the test, from its own initial state."""
    return lambda x: result.fitted[..., None]


def _thinned(data: Split, max_rows: int) -> Split:
    """Fewer rows of a long test, and what that costs, said."""
    thinned = thin_out(data, max_rows)
    if thinned.sentence:
        say(thinned.sentence)
    return thinned.data


def write_results(identified: IdentifiedTest, settings: IdentificationSettings) -> None:
    """Write the report page and the exported model.

    Args:
        identified: by `fit_csv`.
        settings: where they go.

    Raises:
        ValueError: in one line: the model cannot be exported; the report is written all the same.
    """
    result = identified.result
    page = identification_report(
        result,
        identified.data,
        settings.name,
        identified.trained,
        identified.proposal,
        has_time=identified.candidate.has_time,
    )
    say(f"report: {page.write(settings.paths.report)[-1]}")
    try:
        export_stress_model(
            settings.paths.model,
            settings.name,
            identified.trained,
            training={
                "seed": settings.seed,
                "starts": settings.starts,
                "samples": result.samples,
                "R2": result.r2,
            },
            limits=[sentence(line) for line in result.warnings],
            entries={"identification": manifest_entry(identified)}
            | ({"warm_up_rows": settings.warm_up} if settings.warm_up else {})
            | ({"start_from_past": identified.start.entry()} if identified.start else {}),
        )
    except RuntimeError as error:
        raise ValueError(f"The model was not exported: {error}. The report is complete.") from None
    say(f"model: {settings.paths.model}")


def manifest_entry(identified: IdentifiedTest) -> dict[str, Any]:
    """Entry `identification` of a manifest: constants, intervals, warnings, laws compared."""
    law = {"law": identified.candidate.name}
    entry = law | identification_entry(identified.result)
    if identified.proposal is not None:
        entry["compared"] = proposal_entry(identified.proposal)
    return entry


def identification_text(result: Identification, proposal: Proposal | None = None) -> str:
    """Laws compared, table of constants, goodness of fit and warnings, for a terminal."""
    lines = [
        f"R² = {result.r2:.5f}, RMS residual {result.rmse:.3g} {result.unit}",
        result.intervals,
        *(f"warning: {line}" for line in result.warnings),
    ]
    parts = [constants_table(result).text(), *map(_wrapped, lines)]
    if result.initial_state is not None:
        parts.insert(1, initial_state_table(result.initial_state).text())
    if proposal is not None:
        parts = [laws_table(proposal).text(), f"{_wrapped(proposal.choice.text)}\n", *parts]
    return "\n".join(parts)


def _wrapped(line: str) -> str:
    return textwrap.fill(line, TEXT_WIDTH, subsequent_indent="  ")


def _columns(settings: IdentificationSettings) -> tuple[Columns, bool]:
    """Columns of the files, numbered rows where there are no times; whether there are."""
    paths = [settings.csv] if isinstance(settings.csv, Path) else settings.csv
    columns = settings.columns
    has_time = columns.time is not None or columns.time_step_s is not None
    is_given = settings.law is not None and settings.law not in RATE_INDEPENDENT
    if has_time or is_given or any(map(measured.has_time, paths)):
        return columns, True
    laws = settings.law or f"only laws that need none are compared ({', '.join(RATE_INDEPENDENT)})"
    needs = f"{laws} is rate-independent and needs none" if settings.law else laws
    say(f"no column of time: {needs}; rows are numbered")
    return replace(columns, time_step_s=1.0), False


def _experiment(data: Split, has_time: bool) -> Experiment:
    """The test as training, validation and test split at once."""
    specimens = len(data.x)
    untimed = ["The test has no times: the law is rate-independent, dt counts rows."]
    return Experiment(
        train=data,
        validation=data,
        tests={"test": data},
        cycle=data.select([0]),
        shown=("test",),
        refinement=None,
        material={},
        limits=[
            f"Identified from {specimens} specimen{'s' if specimens > 1 else ''} and scored on the "
            "same: errors are those of the fit. Other rates and stresses are an extrapolation.",
            *(untimed if not has_time else []),
        ],
    )
