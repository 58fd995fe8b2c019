"""Run a step model on sound or strain, or measure its cost: `zoo-edge`, also `zoo edge`."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import zoo.edge
from zoo.cli import command
from zoo.edge import budget, capture, history
from zoo.edge.classifier import HopResult, StreamClassifier
from zoo.edge.clips import ClipClassifier, classify_stream
from zoo.edge.condition import Condition
from zoo.edge.estimator import HopEstimate, StreamEstimator, is_estimator
from zoo.edge.manifest_entries import is_clip_classifier
from zoo.edge.resampling import describe_missing_band
from zoo.edge.runtime import StepModel, quiet
from zoo.edge.stream import Result, SoundStream
from zoo.folders import find
from zoo.manifest import read_manifest
from zoo.progress import printable, say

PRINT_EVERY_S = 1.0  # of estimates


def main(arguments: list[str] | None = None, prog: str = "zoo-edge") -> int:
    """Run the command.

    Args:
        arguments: words of the command line; None: those of this process.
        prog: name of the command in its help.

    Returns:
        Exit code, see `zoo.cli.command.call`.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["budget"]:
        return command.call(lambda: budget.main(words[1:], f"{prog} budget"))
    options = parser(prog).parse_args(words)
    return command.call(lambda: run(options))


def parser(prog: str) -> argparse.ArgumentParser:
    """Options of the command line.

    Args:
        prog: name of the command.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Run a saved model: sound in, a line for each change of program, or for each "
        "clip where the model classifies whole clips; or a CSV file of time and strain in, stress "
        f"out. `{prog} budget MODEL` measures what a model costs.",
        epilog=f"arecord -t raw -f S16_LE -r 16000 | {prog} MODEL - --rate 16000",
    )
    parser.add_argument("model", metavar="MODEL", help="name of a saved model, or its folder")
    parser.add_argument(
        "source", nargs="?", default="-", help="sound file or CSV file; - is standard input"
    )
    parser.add_argument("--mic", action="store_true", help="use the microphone instead")
    parser.add_argument(
        "--weights", default="float32", help="precision of the TFLite file (%(default)s)"
    )
    parser.add_argument(
        "--hop",
        type=float,
        metavar="SECONDS",
        help="of a model of clips: from one clip to the next (default: the length of a clip)",
    )
    parser.add_argument(
        "--rate", type=int, help="sample rate of raw samples or of the microphone [Hz]"
    )
    parser.add_argument(
        "--channels", type=int, default=1, help="their number of channels (%(default)s)"
    )
    parser.add_argument(
        "--format",
        choices=sorted(capture.FORMATS),
        default="s16le",
        help="type of raw samples (%(default)s)",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Open the model and run it on the source.

    Args:
        options: of `parser`.

    Returns:
        Exit code: 130 after Ctrl-C, which is how a live stream ends.

    Raises:
        ValueError: a model or a source that cannot be read, or that do not fit together.
    """
    if options.hop is not None and not 0 < options.hop < float("inf"):
        raise ValueError(f"--hop must be above 0. Received: {options.hop}.")
    folder = find(options.model)
    manifest = read_manifest(folder)
    try:
        if is_clip_classifier(manifest):
            with quiet():
                classifier = zoo.edge.open_clips(folder, weights=options.weights)
                classifier.warm_up()
            print_labels(classifier, open_source(classifier.rate_hz, options), options.hop)
            return 0
        if options.hop is not None:
            raise ValueError(f"--hop is for models of whole clips; {options.model} takes steps.")
        with quiet():
            model = zoo.edge.open(folder, weights=options.weights)
            model.warm_up()
        if is_estimator(manifest):
            print_estimates(model, options)
        elif model.input_name == "waveform":
            rate_hz = StreamClassifier(model).model_rate_hz
            print_programs(model, open_source(rate_hz, options))
        elif options.mic:
            raise ValueError(f"--mic is for models of sound; {options.model} takes a CSV file.")
        else:
            print_stress(model, options.source)
    except KeyboardInterrupt:
        return 130
    return 0


def print_labels(model: ClipClassifier, source: capture.Source, hop_s: float | None = None) -> None:
    """Print a line for each clip: start, end, label or why there is none, probability.

    Args:
        model: a classifier of clips.
        source: of sound, read up to its end.
        hop_s: from one clip to the next [s]; None: the length of a clip.

    Raises:
        ValueError: as `zoo.edge.clips.classify_stream`, a source that ends in a fault, or one
            without samples.
    """
    labels: Counter[str] = Counter()
    say(model.rule.describe())
    print(f"{'start [s]':>10}  {'end [s]':>10}  {'label':<20}  {'probability':>11}", flush=True)
    results = classify_stream(model, source.sample_rate_hz, source.blocks, say, hop_s=hop_s)
    for start_s, end_s, label in results:
        labels[str(label)] += 1
        probability = f"{label.probability:11.2f}" if label.condition is Condition.SOUND else ""
        line = f"{start_s:10.3f}  {end_s:10.3f}  {label!s:<20}  {probability}"
        print(printable(line.rstrip()), flush=True)
    if not labels:
        raise ValueError("The source holds no samples. Expected sound.")


def print_programs(model: StepModel, source: capture.Source) -> None:
    """Print a line for each change of program or condition, and totals on standard error.

    Args:
        model: a sound model.
        source: of sound, read up to its end.

    Raises:
        ValueError: as `StreamClassifier`, or a source that ends in a fault.
    """
    classifier = StreamClassifier(model, source.sample_rate_hz)
    conditions: Counter[Condition] = Counter()
    changes = 0
    last = Condition.SOUND
    print(
        f"{'time [s]':>10}  {'program':<20}  {'confidence':>10}  {'level [dBFS]':>12}", flush=True
    )
    try:
        for result in results_of(classifier, source):
            conditions[result.condition] += 1
            if result.program.changed:
                changes += 1
                print(printable(format_program(classifier, result)), flush=True)
            elif result.condition not in (last, Condition.SOUND):
                print(f"{result.time_s:10.3f}  ({result.condition})", flush=True)
            last = result.condition
    finally:
        say(
            f"{describe_hops(conditions, classifier.hop_s)}, {changes} changes of program"
            f"{describe_others(conditions, 'classified')}"
        )


def describe_hops(conditions: Counter[Condition], hop_s: float) -> str:
    """Length and hops of a stream, in words.

    Args:
        conditions: of all hops.
        hop_s: length of one [s].
    """
    return f"{conditions.total() * hop_s:.1f} s in {conditions.total()} hops"


def describe_others(conditions: Counter[Condition], done: str) -> str:
    """How many hops were no sound, as an end of a sentence; empty if there are none.

    Args:
        conditions: of all hops.
        done: what was not done with them.
    """
    counts = [
        f"{count} {condition}"
        for condition, count in conditions.items()
        if condition is not Condition.SOUND
    ]
    return f"; not {done}: {', '.join(counts)}" if counts else ""


def print_estimates(model: StepModel, options: argparse.Namespace) -> None:
    """Print the estimates of a regression once a second and at the end, as CSV.

    They are empty where a hop did not count; the last column says why.

    Args:
        model: a sound model that estimates quantities.
        options: of `parser`.

    Raises:
        ValueError: as `StreamEstimator`, or a source that ends in a fault.
    """
    source = open_source(StreamEstimator(model).model_rate_hz, options)
    estimator = StreamEstimator(model, source.sample_rate_hz)
    quantities = zip(estimator.names, estimator.units, strict=True)
    names = [f"{name} [{unit}]" for name, unit in quantities]
    print(printable(",".join(["time_s", *names, "condition"])), flush=True)
    conditions: Counter[Condition] = Counter()
    due_s, waiting = PRINT_EVERY_S, None
    try:
        for waiting in results_of(estimator, source):
            conditions[waiting.condition] += 1
            if waiting.time_s >= due_s - estimator.hop_s / 2:
                due_s += PRINT_EVERY_S
                print(format_estimate(waiting, len(names)), flush=True)
                waiting = None
        if waiting is not None:
            print(format_estimate(waiting, len(names)), flush=True)
    finally:
        hops = describe_hops(conditions, estimator.hop_s)
        say(f"{hops}{describe_others(conditions, 'estimated')}")


def format_estimate(estimate: HopEstimate, count: int) -> str:
    """A row of CSV: time, estimates, condition.

    Args:
        estimate: of a hop.
        count: number of quantities.
    """
    cells = [""] * count if estimate.values is None else [f"{x:.2f}" for x in estimate.values]
    return ",".join([f"{estimate.time_s:.3f}", *cells, str(estimate.condition)])


def results_of(stream: SoundStream[Result], source: capture.Source) -> Iterator[Result]:
    """Results of all hops of a source, up to its end; how channels are mixed is said."""
    note, time_s = "", 0.0
    for block in source.blocks:
        if isinstance(block, Condition):
            stream.mark_gap()
            continue
        results = stream.process(block)
        if stream.mix.note != note:
            note = stream.mix.note
            say(f"{time_s:.3f} s: {note or 'all channels are averaged'}")
        yield from results
        time_s += len(block) / source.sample_rate_hz
    yield from stream.finish()


def format_program(classifier: StreamClassifier, result: HopResult) -> str:
    """A line of time, program, its smoothed probability, and level."""
    name, posterior, _ = result.program
    confidence = posterior.max() if name is None else posterior[classifier.classes.index(name)]
    return (
        f"{result.time_s:10.3f}  {name or '-':<20}  {confidence:10.2f}  {result.level_dbfs:12.1f}"
    )


def open_source(rate_hz: int, options: argparse.Namespace) -> capture.Source:
    """Microphone, standard input or file.

    Args:
        rate_hz: of the model, that the microphone gets unless `--rate` is given [Hz].
        options: of `parser`.

    Raises:
        ValueError: a number of channels below 1, or a source that cannot be opened.
    """
    if options.channels < 1:
        raise ValueError(f"--channels must be 1 or more. Received: {options.channels}.")
    if options.mic:
        source = capture.from_microphone(options.rate or rate_hz, options.channels)
    elif options.source == "-":
        source = capture.from_stdin(options.rate, options.channels, options.format)
    else:
        source = capture.from_file(Path(options.source))
    missing = describe_missing_band(source.sample_rate_hz, rate_hz)
    if missing:
        say(missing)
    return source


def print_stress(model: StepModel, source: str) -> None:
    """Print the stress after every row of a CSV file, as CSV.

    Args:
        model: a stress model.
        source: path of the CSV file; "-": standard input.

    Raises:
        ValueError: not a stress model, or a file that cannot be read.
    """
    output = model.output_names[0]
    unit = history.unit_of(model.manifest, model.input_name, output)
    content = sys.stdin.buffer.read() if source == "-" else Path(source)
    name = "standard input" if source == "-" else source
    loading, *others = history.read_csv(
        content, name, loading=history.loading_of(model.manifest, model.input_name)
    )
    if others:
        raise ValueError(f"{source}: several specimens. Give a file of one.")
    if loading.notes:
        say(f"{source}: {'; '.join(loading.notes)}")
    if "start_from_past" in model.manifest:
        say(
            f"{source}: begins in the virgin state; zoo predict starts from the measured past, on "
            "a device zoo.edge.past.PastStart"
        )
    print(f"time_s,{output}_{unit.lower()}")
    for time_s, x in zip(loading.time_s.tolist(), loading.x, strict=True):
        print(f"{time_s:.9g},{model.step(x)[output][0]:.9g}")


if __name__ == "__main__":
    sys.exit(main())
