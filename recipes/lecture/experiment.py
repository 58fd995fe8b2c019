"""The lecture page: every formula and worked example, and the table of printed results."""

from pathlib import Path

from recipes.lecture import examples, features, images, recurrent, sound
from recipes.lecture.examples import Claim
from recipes.lecture.settings import Settings
from zoo.progress import say
from zoo.report import Report, Table


def run(settings: Settings) -> Path:
    """Compute every example, print the table of results and write the page.

    Args:
        settings: settings of the run.

    Returns:
        The page.

    Raises:
        ValueError: if the page has no place, in one line.
        OSError: if the page cannot be written.
    """
    settings.paths.check(exports=False)
    page, claims = make_page(settings)
    print(claim_table(claims).text())
    path = page.write(settings.paths.report)[-1]
    say(f"report: {path}")
    return path


def make_page(settings: Settings) -> tuple[Report, list[Claim]]:
    """The page, and every number that the lecture prints beside the computed one.

    Args:
        settings: settings of the run.
    """
    seed = settings.seed
    page = Report("The lecture, runnable", provenance={"command": settings.command, "seed": seed})
    recurrent.add_recurrence(page, seed)
    recurrent.add_activations(page)
    recurrent.add_gates(page, seed)
    claims = [
        *images.add_memory(page),
        *images.add_convolution(page),
        *images.add_output_sizes(page),
        *images.add_pooling(page),
        *images.add_alexnet(page),
    ]
    sound.add_spectrograms(page, seed)
    features.add_features(page, seed)
    add_results(page, claims)
    return page, claims


def add_results(page: Report, claims: list[Claim]) -> None:
    """Append the table of printed results and the statements that need a condition.

    Args:
        page: the page.
        claims: all printed results.
    """
    statements = conditions()
    page.summary = (
        "Every formula and worked example of the lecture in plain Python, beside the zoo's cells "
        f"and Keras' layers. Of {len(claims)} printed results {sum(c.holds for c in claims)} agree "
        f"in every digit. {len(statements)} statements hold only under a condition that is easily "
        "missed; they are listed at the end."
    )
    page.section("Printed results").table(claim_table(claims))
    page.section("Statements that need a condition")
    for statement in statements:
        page.text(statement)


def conditions() -> list[str]:
    """Conditions under which the statements of the lecture are true, one paragraph each."""
    pixels = examples.FULL_HD[0] * examples.FULL_HD[1]
    grey = images.format_bytes(examples.FLOAT32_BYTES * examples.dense_weights(pixels, pixels))
    published = sum(row.parameters for row in examples.alexnet(groups=2))
    return [
        "The two memory sizes of a dense layer are counted differently: 8.1 kB is for one channel, "
        f"154.8 TB for three channels in and out. With one channel full HD takes {grey}. Both "
        "leave out the biases, use 4 bytes per weight and powers of 1000.",
        "AlexNet has 62 million parameters without groups. The published network is split into two "
        f"groups and has {published:,}; and its images must be 227 pixels wide, not 224 as in its "
        "paper.",
        "The padding p = (k − 1)/2 keeps the size for odd kernels and stride 1 only.",
        "What neural networks call convolution is cross-correlation. For the ring kernel both are "
        "equal; for a kernel that changes when it is rotated by 180° they are not.",
        "∂C'/∂C = f is exact for one step at fixed h. Over several steps the product of forget "
        "gates is the direct path only; the rest passes through the gates.",
    ]


def claim_table(claims: list[Claim]) -> Table:
    """Table with one row per printed number: lecture, computed, whether they agree, assumptions.

    Args:
        claims: all printed results.
    """
    return Table(
        ["example", "lecture", "computed", "agrees", "holds for"],
        [(c.what, c.printed, c.computed, "yes" if c.holds else "NO", c.given) for c in claims],
    )
