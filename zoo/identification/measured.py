"""Constants of a material from a user's CSV file: fit, report page, exported model."""

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.data import measured
from zoo.data.columns import Columns
from zoo.data.long_tests import thin_out
from zoo.data.split import Split
from zoo.identification.candidates import Candidate, law_preset
from zoo.identification.fit import Identification, Search, identify
from zoo.identification.page import (
    constants_table,
    identification_entry,
    identification_report,
    sentence,
)
from zoo.identification.settings import RATE_INDEPENDENT, IdentificationSettings
from zoo.progress import say
from zoo.recurrent import predictor
from zoo.stress.checks import stress_controlled
from zoo.stress.experiment import Experiment
from zoo.stress.exporting import export_stress_model
from zoo.stress.scoring import fit_laws, score_all
from zoo.stress.trained import TrainedModel

TEXT_WIDTH = 100  # columns of the terminal


@dataclass(frozen=True)
class IdentifiedTest:
    """A law fitted to a measured test.

    Attributes:
        result: constants, intervals, warnings.
        data: the test.
        trained: the fitted model, its scores and description.
    """

    result: Identification
    data: Split
    trained: TrainedModel


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
    """Read a test and fit a law to it.

    Args:
        settings: test, law, and where the results will go.

    Raises:
        ValueError: in one line.
    """
    settings.paths.check()
    data = measured.read_csv(settings.csv, _columns(settings), cycles=settings.cycles)
    thinned = thin_out(data)
    data = thinned.data
    if thinned.sentence:
        say(thinned.sentence)
    if creeping := stress_controlled(data):
        of = f" of {', '.join(creeping)}" if any(creeping) else ""
        say(f"warning: the stress{of} was held while strain went on changing (stress-controlled)")
    preset = law_preset(settings.law, settings.branches, data)
    model = preset.build(data.x, data.y, data.weight)
    say(f"{preset.description}: {model.count_params()} weights, {settings.starts} starts")
    ridge = Candidate(settings.law, settings.branches).ridge
    result = identify(
        model,
        data.x,
        data.y,
        data.weight,
        unit=data.targets[0].unit,
        search=Search(settings.starts, settings.seed, ridge),
        say=say,
    )
    experiment = _experiment(data)
    scores = score_all(settings.law, predictor(model), fit_laws(data), experiment)
    trained = TrainedModel(model, preset.description, experiment, scores, settings.command)
    return IdentifiedTest(result, data, trained)


def write_results(identified: IdentifiedTest, settings: IdentificationSettings) -> None:
    """Write the report page and the exported model.

    Args:
        identified: by `fit_csv`.
        settings: where they go.

    Raises:
        ValueError: in one line: the model cannot be exported; the report is written all the same.
    """
    result = identified.result
    page = identification_report(result, identified.data, settings.name, identified.trained)
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
            entries={"identification": identification_entry(result)},
        )
    except RuntimeError as error:
        raise ValueError(f"The model was not exported: {error}. The report is complete.") from None
    say(f"model: {settings.paths.model}")


def identification_text(result: Identification) -> str:
    """Table of constants, goodness of fit and warnings, for a terminal."""
    lines = [
        f"R² = {result.r2:.5f}, RMS residual {result.rmse:.3g} {result.unit}",
        result.intervals,
        *(f"warning: {line}" for line in result.warnings),
    ]
    wrapped = [textwrap.fill(line, TEXT_WIDTH, subsequent_indent="  ") for line in lines]
    return "\n".join([constants_table(result).text(), *wrapped])


def _columns(settings: IdentificationSettings) -> Columns:
    """Columns of the files; a law that needs no time is given numbered rows where there is none."""
    paths = [settings.csv] if isinstance(settings.csv, Path) else settings.csv
    columns = settings.columns
    has_time = columns.time is not None or columns.time_step_s is not None
    if settings.law not in RATE_INDEPENDENT or has_time or any(map(measured.has_time, paths)):
        return columns
    say(f"no column of time: {settings.law} is rate-independent and needs none; rows are numbered")
    return replace(columns, time_step_s=1.0)


def _experiment(data: Split) -> Experiment:
    """The test as training, validation and test split at once."""
    specimens = len(data.x)
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
            "same: errors are those of the fit. Other rates and stresses are an extrapolation."
        ],
    )
