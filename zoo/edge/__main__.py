"""Listen with a model, or say what it costs: `python -m zoo.edge`."""

import argparse
import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import zoo.edge
from zoo.edge import capture, loading
from zoo.edge.condition import Condition
from zoo.edge.listening import Answer, Listener
from zoo.edge.runtime import StepModel


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if words[:1] == ["budget"]:
            from zoo.edge import budget

            return budget.main(words[1:])
        options = parser().parse_args(words)
        with quiet():
            model = zoo.edge.open(options.model, weights=options.weights)
            warm_up(model)
        if model.input_name == "waveform":
            return hear(model, options)
        return load(model, options.source)
    except (ValueError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # whoever read has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m zoo.edge",
        description="Run a saved step model: sound in, a line for each change of program; or a CSV "
        "file of time and stretch in, stress out. `python -m zoo.edge budget MODEL` says what a "
        "model costs.",
        epilog="arecord -t raw -f S16_LE -r 16000 | python -m zoo.edge MODEL - --rate 16000",
    )
    parser.add_argument("model", type=Path, help="folder, such as saved_models/hearing-aid")
    parser.add_argument(
        "source", nargs="?", default="-", help="sound file or CSV file; - is standard input"
    )
    parser.add_argument("--mic", action="store_true", help="listen to the microphone instead")
    parser.add_argument("--weights", default="float32", help="of the step file (%(default)s)")
    parser.add_argument("--rate", type=int, help="of raw samples or the microphone [Hz]")
    parser.add_argument("--channels", type=int, default=1, help="of these (%(default)s)")
    parser.add_argument(
        "--format",
        choices=sorted(capture.FORMATS),
        default="s16le",
        help="of raw samples (%(default)s)",
    )
    return parser


def hear(model: StepModel, options: argparse.Namespace) -> int:
    """Print a line when the program or the condition of the sound changes, and a sum at the end."""
    source = source_of(model, options)
    listener = Listener(model, source.sample_rate_hz)
    conditions, changes = Counter(), 0
    last = Condition.SOUND
    print(
        f"{'time [s]':>10}  {'program':<20}  {'confidence':>10}  {'level [dBFS]':>12}", flush=True
    )
    try:
        for answer in answers(listener, source):
            conditions[answer.condition] += 1
            if answer.program.changed:
                changes += 1
                print(line_of(listener, answer), flush=True)
            elif answer.condition not in (last, Condition.SOUND):
                print(f"{answer.time_s:10.3f}  ({answer.condition})", flush=True)
            last = answer.condition
    finally:
        odd = ", ".join(f"{count} {name}" for name, count in conditions.items() if name != "sound")
        hops = conditions.total()
        print(
            f"{hops * listener.hop_s:.1f} s heard in {hops} hops, {changes} changes"
            + (f"; not classified: {odd}" if odd else ""),
            file=sys.stderr,
        )
    return 0


def answers(listener: Listener, source: capture.Source) -> Iterator[Answer]:
    """Every answer to a source, up to its end."""
    for block in source.blocks:
        yield from listener.hear(block)
    yield from listener.finish()


def line_of(listener: Listener, answer: Answer) -> str:
    """Time, program, its smoothed probability, and the level."""
    name, posterior, _ = answer.program
    confidence = posterior.max() if name is None else posterior[listener.classes.index(name)]
    return (
        f"{answer.time_s:10.3f}  {name or '-':<20}  {confidence:10.2f}  {answer.level_dbfs:12.1f}"
    )


def source_of(model: StepModel, options: argparse.Namespace) -> capture.Source:
    """Microphone, standard input or file."""
    if options.channels < 1:
        raise ValueError(f"--channels must be 1 or more. Received: {options.channels}.")
    if options.mic:
        rate = options.rate or Listener(model).model_rate_hz
        return capture.from_microphone(rate, options.channels)
    if options.source == "-":
        return capture.from_stdin(options.rate, options.channels, options.format)
    return capture.from_file(Path(options.source))


def load(model: StepModel, source: str) -> int:
    """Print the stress after every row of a CSV file, as CSV."""
    loading.check_features(model.manifest, model.input_name)
    if source == "-":
        history = loading.read_csv(sys.stdin, "standard input")
    elif not Path(source).is_file():
        raise ValueError(f"{source}: no such file. Expected a CSV file, or - for standard input.")
    else:
        with Path(source).open(encoding="utf-8-sig", newline="") as file:
            history = loading.read_csv(file, source)
    (output,) = model.output_names
    unit = model.manifest["signatures"]["step"]["outputs"][output]["unit"].lower()
    print(f"time_s,{output}_{unit}")
    for time_s, now in zip(history.time_s, history.x, strict=True):
        print(f"{time_s:.9g},{model.step(now)[output][0]:.9g}")
    return 0


def warm_up(model: StepModel) -> None:
    """Take the step that costs memory and greetings, and forget it."""
    with contextlib.suppress(ValueError):  # zeros may lie outside what a model was made for
        model.step(np.zeros(model.input_shape, np.float32))
    model.reset()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what the interpreter's C++ part says of itself to nowhere."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
