"""The memory experiment: adding problem, ablation, and a trained network beside its material."""

import time
from pathlib import Path

from recipes.memory.ablation import run_ablation
from recipes.memory.comparison import compare_cells
from recipes.memory.settings import Settings
from zoo.memory import inspect_model
from zoo.memory.live import play_model
from zoo.memory.report import add_sections, layer_table, memory_report
from zoo.models import load_keras_model
from zoo.progress import say
from zoo.report import QUICK_NOTICE, Report

MATERIAL_MODEL = "hysteresis-lstm"
SUMMARY = (
    "A recurrent network learns dependencies on the past from the gradient with respect to past "
    "states, which is a product of Jacobians: ∂s_T/∂s_t = J_T ⋯ J_{t+1}. It vanishes where they "
    "contract, and explodes where they expand."
)


def run(settings: Settings) -> Path | None:
    """Run the experiment, or analyse `settings.model`.

    Args:
        settings: settings of the run.

    Returns:
        The page; None with `settings.live`.

    Raises:
        ValueError: if `settings.model` is not a recurrent model, or `settings.csv` does not fit it.
        OSError: if a file cannot be read or written.
    """
    started = time.monotonic()
    if settings.live:
        _play(settings)
        return None
    settings.paths.check(exports=False)
    provenance = {"command": settings.command, "seed": settings.seed}
    if settings.model:
        model, manifest = load_keras_model(settings.model)
        result = inspect_model(
            model,
            name=settings.model.name,
            manifest=manifest,
            csv=settings.csv,
            seed=settings.seed,
        )
        print(layer_table(result).text())
        report = memory_report(result, provenance)
    else:
        report = Report(
            "Vanishing gradients and the memory of an LSTM",
            SUMMARY,
            provenance,
            notices=[QUICK_NOTICE] if settings.quick else [],
        )
        say(f"adding problem with {settings.task_length} steps")
        compare_cells(report, settings)
        say("ablation")
        run_ablation(report, settings)
        _add_material_model(report, settings)
    page = report.write(settings.paths.report)[-1]
    say(f"report: {page}, in {time.monotonic() - started:.0f} s")
    return page


def _add_material_model(report: Report, settings: Settings) -> None:
    say(f"memory of a material and of {MATERIAL_MODEL}")
    model, manifest = load_keras_model(MATERIAL_MODEL)
    result = inspect_model(model, name=MATERIAL_MODEL, manifest=manifest, csv=settings.csv)
    print(layer_table(result).text())
    add_sections(report, result)


def _play(settings: Settings) -> None:
    path = settings.model or Path(MATERIAL_MODEL)
    say(f"{path.name}: computing all steps, then drawing them")
    model, manifest = load_keras_model(path)
    play_model(
        model,
        manifest=manifest,
        csv=settings.csv,
        seed=settings.seed,
        steps_per_second=settings.frames_per_second,
    )
