"""Train networks on sounds whose truth is known, explain them by every method, compare."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recipes.explain import tables, wheezes
from recipes.explain.blocks import Measures, Subject, halves, measure, measure_random
from recipes.explain.networks import EVENTS, FRONT, ONSETS, train_network
from recipes.explain.settings import Settings
from zoo import plots
from zoo.data.page_sound import wav_content
from zoo.data.synthesis.truth import Clip
from zoo.explain import Explanation, evidence_sound
from zoo.explain.clip import open_clip
from zoo.explain.report import add_filters
from zoo.files import write_text
from zoo.models import load_keras_model
from zoo.progress import say
from zoo.report import QUICK_NOTICE, Report, Sound, Table

FILTERS = (
    "A filter is called a detector of a kind of sound only where it prefers that kind to all "
    "others more than 95 % of the filters of untrained networks do."
)
SHIPPED = ("scenes-tiny", "scenes-alexnet")  # whose filters are shown


def run(settings: Settings) -> Path:
    """Run the comparison and write its page and its table; returns the page.

    Raises:
        ValueError: a folder that cannot be written, or a corpus that cannot be read.
    """
    settings.paths.check(exports=False)
    model, accuracy = train_network(EVENTS, settings)
    events = Subject(model, EVENTS, settings)
    measures = measure(events)
    random, layers = measure_random(events)
    results = event_tables(measures, random, layers)
    summary = (
        f"A network of {model.count_params():,} parameters tells {len(EVENTS.classes)} kinds of "
        f"events in noise apart, {accuracy:.1%} of other clips. Each method explains "
        f"{settings.clips} clips of each kind; patches of {settings.patch_s:g} s and "
        f"{settings.patch_share:.3g} of {FRONT.bands} bands."
    )
    if "onsets" in settings.parts:
        model, accuracy = train_network(ONSETS, settings)
        results.append(tables.onset_table(measure(Subject(model, ONSETS, settings))))
        summary += f" Another network tells onset, offset and steady noise apart, {accuracy:.1%}."
    if "wheezes" in settings.parts:
        results += wheezes.wheeze_tables(settings)
    choice = tables.choice_text(measures, random)
    for table in results:
        print(table.text(), table.caption, sep="", end="\n\n")
    print(choice)
    report = Report(
        "Methods of explanation, on sounds whose place is known",
        summary,
        provenance={"command": settings.command, "seed": settings.seed},
        notices=[QUICK_NOTICE] if settings.quick else [],
    )
    write_table(settings, results, f"{report.summary}\n\n{choice}")
    add_results(report, results, choice, random, layers)
    add_examples(report, events)
    if "filters" in settings.parts and not settings.quick:
        add_shipped(report, settings.seed)
    page = report.write(settings.paths.report)[-1]
    say(f"report: {page}")
    return page


def event_tables(measures: Measures, random: Measures, layers: Sequence[str]) -> list[Table]:
    """Methods x measures of the reported half and of the one that chose, kinds, layers."""
    clips = len(next(iter(measures.values()))["hit"])
    random_clips = len(next(iter(random.values()))["correlation"])
    by_half = [
        (tables.select(measures, rows), tables.select(random, random_rows), rows)
        for rows, random_rows in zip(halves(clips), halves(random_clips), strict=True)
    ]
    (choosing, random_choosing, _), (reported, random_reported, rows) = by_half
    return [
        tables.method_table(reported, random_reported, "The reported half"),
        tables.method_table(choosing, random_choosing, "The half that chose the default"),
        tables.kind_table(reported, EVENTS.explained, rows),
        tables.layer_table(random, layers),
    ]


def write_table(settings: Settings, results: Sequence[Table], text: str) -> None:
    """Write all tables as Markdown, with the command that made them."""
    parts = [f"{table.markdown()}\n{table.caption}" for table in results]
    body = "\n\n".join([text, *parts, f"Made by\n\n    {settings.command}"])
    write_text(settings.table or settings.paths.root / "methods.md", f"{body}\n")


def add_results(
    report: Report, results: Sequence[Table], choice: str, random: Measures, layers: Sequence[str]
) -> None:
    """Append all tables, and the curve of random weights."""
    report.section("Methods and measures", choice)
    for table in results:
        report.table(table)
    report.section(
        "Random weights",
        "A method shows the network only where its evidence changes with the weights. From the "
        "left to the right, the weights of one layer more are permuted.",
    ).figure(
        plots.random_weights(
            layers, {m: each["correlation"].mean(axis=0) for m, each in random.items()}
        ),
        name="random_weights",
        caption="Mean absolute rank correlation of the evidence with that of the trained network. "
        "At the right end all weights are permuted: only a method that is below the dashed line "
        "there, 0.2, can become the default.",
        alt="A curve for each method over the layers of the network, from the output to the input.",
    )


def add_examples(report: Report, events: Subject) -> None:
    """Append one clip of each kind by each method, with the evidence as sound."""
    report.section(
        "Examples",
        "Red: the log-odds of the true class fall without the patch; blue: they rise. The frame is "
        "around the strongest evidence. Each clip can be heard, and behind a mask of its positive "
        "evidence, by every method; all are scaled to one peak level.",
    )
    for clip in events.explained_clips(1):
        opened = open_clip(events.model, clip.samples)
        results = [result for _, result, _ in events.explain(opened, clip.label)]
        for result in results:
            add_example(report, clip, result)
        report.sounds(
            [
                Sound(f"{clip.label}, the clip", _wav(clip.samples)),
                *(
                    Sound(
                        f"{clip.label}, evidence by {result.method}",
                        _wav(evidence_sound(result, clip.samples, FRONT)),
                    )
                    for result in results
                ),
            ]
        )


def add_example(report: Report, clip: Clip, result: Explanation) -> None:
    """Append the evidence of a clip by one method, beside the truth."""
    (event,) = clip.events
    report.figure(
        result.figure(),
        name=f"{clip.label}_{result.method}".replace(" ", "_"),
        caption=f"{clip.label}, {result.method}: {result.sentence()}. True: {event.onset_s:.2f} "
        f"to {event.offset_s:.2f} s, {event.low_hz:,.0f} to {event.high_hz:,.0f} Hz.",
        alt="Spectrogram of a clip, and its evidence for and against the class.",
    )


def add_shipped(report: Report, seed: int) -> None:
    """Append first filters and motif atlas of shipped networks."""
    for name in SHIPPED:
        model, _ = load_keras_model(name)
        report.section(f"Filters of {name}", FILTERS)
        add_filters(report, name, model, seed=seed)


def _wav(samples: np.ndarray) -> bytes:
    return wav_content(samples, round(FRONT.sample_rate_hz))
