"""The lecture, runnable: every formula and worked example beside what the zoo and Keras compute.

One page from the two-layer recurrence to sound as an image. Each printed number is computed twice,
once written out in plain Python and once by layers; where it holds only under an assumption, or
not as printed, the page says so.
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli import command

if TYPE_CHECKING:
    from recipes.lecture.examples import Claim
    from zoo.report import Report, Table


def main(arguments: list[str] | None = None) -> int:
    """Recurrence, slopes, gates; memory, convolution, sizes, pooling, AlexNet, sound; verdict."""
    options = parser().parse_args(arguments)
    page, claims = lecture(options.seed)
    print(table_of(claims).text())
    written = page.write(options.reports / "lecture" / "report.html")
    print(f"report: {written[-1]}", file=sys.stderr)
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the command line; `--help` is answered without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.lecture",
        description=__doc__.split("\n\n")[0],
        formatter_class=command.Help,
    )
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder of reports")
    parser.add_argument("--seed", type=seed, default=0, help="of drawn weights and of the sound")
    return parser


def seed(text: str) -> int:
    """A whole number of 0 or more."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected 0 or more, got {value}")
    return value


def lecture(seed: int = 0) -> "tuple[Report, list[Claim]]":
    """The page, and what became of every number that the lecture prints."""
    from recipes.lecture import images, memory
    from recipes.lecture import sound as lecture_sound
    from zoo.report import Report

    words = ["python", "-m", "recipes.lecture", *(["--seed", str(seed)] if seed else [])]
    page = Report("The lecture, runnable", provenance={"command": shlex.join(words), "seed": seed})

    memory.recurrence(page, seed)
    memory.activations(page)
    memory.gates(page, seed)
    claims = [
        *images.memory(page),
        *images.convolution(page),
        *images.sizes(page),
        *images.pooling(page),
        *images.alexnet(page),
    ]
    lecture_sound.sound(page, seed)
    verdict(page, claims)
    return page, claims


def verdict(page: "Report", claims: "list[Claim]") -> None:
    """Which numbers came out, and which statements hold only under a condition."""
    doubts = conditions()
    page.summary = (
        "Every formula and worked example, written out in plain Python beside the zoo's cells and "
        f"Keras' layers. Of {len(claims)} printed results {sum(c.holds for c in claims)} come out "
        f"to the last digit. {len(doubts)} statements do not hold in general: they need a "
        "condition, which is easily missed, and stand at the end."
    )
    page.section("Every printed number").table(table_of(claims))
    page.section("What does not hold as it stands")
    for doubt in doubts:
        page.text(doubt)


def conditions() -> list[str]:
    """What must be added to the lecture's statements to make them true."""
    from recipes.lecture import examples as written
    from recipes.lecture.images import bytes_of

    pixels = written.FULL_HD[0] * written.FULL_HD[1]
    grey = bytes_of(written.FLOAT32_BYTES * written.dense_weights(pixels, pixels))
    published = sum(row.parameters for row in written.alexnet(groups=2))
    return [
        "The two memories of a dense layer are not counted alike. 8.1 kB is for one channel, "
        f"154.8 TB for three in and three out: with one channel full HD takes {grey}. Both leave "
        "the biases out, take 4 bytes a weight and powers of 1000.",
        "AlexNet has 62 million parameters in one piece. The published network is cut in groups "
        f"and has {published:,}; and its images are 227 pixels wide, not 224 as in its paper.",
        "The padding p = (k − 1)/2 keeps the size for odd kernels and stride 1 only.",
        "What networks call convolution is correlation: with the ring nobody can tell, but with a "
        "kernel that changes when turned by 180° mathematics answers differently.",
        "∂C'/∂C = f is exact for one step with h held. Over several steps the product of forget "
        "gates is the direct path, and the rest comes through the gates.",
    ]


def table_of(claims: "list[Claim]") -> "Table":
    """A row a number: the lecture's, ours, whether they agree and under which assumptions."""
    from zoo.report import Table

    return Table(
        ["example", "lecture", "computed", "agrees", "holds for"],
        [(c.what, c.printed, c.computed, "yes" if c.holds else "NO", c.given) for c in claims],
    )
