"""What one clipped hop changes in a streaming classifier: program, for how long, and probabilities.

Each case is a recording at a level of its own, heard twice: as it is, and with every sample of one
hop at full scale. Programs are compared over the seconds after that hop.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.cli import command
from zoo.cli.options import positive_int, seed_number

BEFORE_S = 6.0  # heard before the clipped hop at least, so that a program was chosen
AFTER_S = 3.0  # compared after it
LEVELS_DBFS = (-50.0, -15.0)
LONG_S = 0.5  # of another program
BOUND = 0.05  # of a probability


@dataclass(frozen=True)
class Case:
    """What a clipped hop changed.

    Attributes:
        name: of the recording.
        program: when the hop came.
        changed_s: for how long another program was chosen than without it [s].
        moved: largest change of a probability after it.
    """

    name: str
    program: str
    changed_s: float
    moved: float


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.benchmarks.clipped_hop",
        description=__doc__,
        formatter_class=command.Help,
    )
    parser.add_argument("model", type=Path, help="such as saved_models/hearing-aid-recorded")
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="FOLDER", help="of recordings"
    )
    parser.add_argument("--cases", type=positive_int, default=240, help="recordings to take")
    parser.add_argument("--seed", type=seed_number, default=0, help="of recordings and levels")
    return parser


def draw_sounds(
    folders: Sequence[Path], cases: int, seed: int, rate_hz: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Recordings in an order by chance, from a random start, repeated to the length of a case.

    Args:
        folders: of recordings.
        cases: how many to draw; as many as there are at most.
        seed: of order, start and level.
        rate_hz: of the result [Hz].

    Yields:
        Name, and (samples,) at a level from `LEVELS_DBFS`, clipped samples left out of it.
    """
    from zoo.data import audio
    from zoo.sound_predictions import find_recordings

    random = np.random.default_rng(seed)
    files = [file for folder in folders for file in find_recordings(folder)]
    samples = round((BEFORE_S + AFTER_S + 1.0) * rate_hz)
    for file in (files[k] for k in random.permutation(len(files))[:cases]):
        level_db = random.uniform(*LEVELS_DBFS)
        start = random.uniform()
        try:
            x, _ = audio.read(file, sample_rate_hz=rate_hz)
        except audio.DamagedRecording:
            continue
        x = np.resize(np.roll(x, -int(start * len(x))), samples)
        x = x * 10 ** (level_db / 20) / max(1e-9, float(np.sqrt(np.mean(x**2))))
        yield file.name, x.clip(-0.98, 0.98).astype(np.float32)


def measure_cases(model: Path, sounds: Iterator[tuple[str, np.ndarray]]) -> Iterator[Case]:
    """Run the model over each sound twice, with a clipped hop and without.

    Args:
        model: folder of a streaming classifier.
        sounds: name and samples (samples,) at the rate of the model.

    Raises:
        ValueError: a model that is no streaming classifier.
    """
    import zoo.edge
    from zoo.edge import StreamClassifier
    from zoo.edge.runtime import quiet

    with quiet():
        step = zoo.edge.open(model)
        step.warm_up()
    classifier = StreamClassifier(step)
    place = round(BEFORE_S / classifier.hop_s)
    window = slice(place + 1, place + 1 + round(AFTER_S / classifier.hop_s))
    for name, x in sounds:
        runs = []
        clipped = x.copy()
        hop = slice(place * classifier.hop, (place + 1) * classifier.hop)
        clipped[hop] = np.where(x[hop] < 0, -1.0, 1.0)
        for sound in (x, clipped):
            classifier.reset()
            runs.append([*classifier.process(sound), *classifier.finish()])
        plain, other = runs[0][window], runs[1][window]
        differs = sum(a.program.name != b.program.name for a, b in zip(plain, other, strict=True))
        moves = [
            float(np.abs(a.probabilities - b.probabilities).max())
            for a, b in zip(plain, other, strict=True)
            if a.probabilities is not None and b.probabilities is not None
        ]
        program = runs[0][place].program.name or "none"
        yield Case(name, program, differs * classifier.hop_s, max(moves, default=0.0))


def describe(cases: Sequence[Case]) -> str:
    """Sentences on all cases: how many programs changed and for how long, how far outputs moved."""
    changed = sorted(case.changed_s for case in cases if case.changed_s > 0)
    moved = np.array([case.moved for case in cases])
    lines = [
        f"{len(cases)} cases; in the {AFTER_S:g} s after a clipped hop the program differed in "
        f"{len(changed)} ({100 * len(changed) / len(cases):.1f} %)"
    ]
    if changed:
        lines.append(
            f"for {np.median(changed):.2f} s in the median, above {LONG_S:g} s in "
            f"{sum(seconds > LONG_S for seconds in changed)}, {changed[-1]:.2f} s at most, "
            f"{100 * sum(changed) / (len(cases) * AFTER_S):.2f} % of all time"
        )
    lines.append(
        f"probabilities moved by up to {moved.max():.2f}, above {BOUND:g} in "
        f"{100 * float((moved > BOUND).mean()):.0f} %"
    )
    return "; ".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    options = parser().parse_args(arguments)
    from zoo.manifest import read_manifest  # only after the options are parsed

    rate_hz = int(read_manifest(options.model)["front_end"]["sample_rate_hz"])
    sounds = draw_sounds(options.data, options.cases, options.seed, rate_hz)
    cases = list(measure_cases(options.model, sounds))
    if not cases:
        raise ValueError("None of the recordings can be used.")
    for case in sorted(cases, key=lambda case: -case.changed_s):
        if case.changed_s > 0:
            print(f"{case.name}: {case.program}, {case.changed_s:.2f} s, {case.moved:.2f}")
    print(describe(cases))
    return 0


if __name__ == "__main__":
    command.run(main)
