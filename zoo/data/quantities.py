"""What loading and response of a test are: strain and stress, displacement and force, or others."""

from collections.abc import Sequence

from zoo.data.split import Quantity

RATE, DT = "rate", "dt"
STRAIN_INPUTS = (
    Quantity(
        "strain",
        "-",
        "small strain ε at the end of the step (of a stretch λ: λ − 1), zero at rest, where the "
        "path begins and all states are zero",
        aliases=("stretch",),
    ),
    Quantity(RATE, "1/s", "slope of the strain during the step"),
    Quantity(DT, "s", "length of the step, above zero"),
)
SYMBOLS = {"strain": "ε", "stress": "σ", "flux density": "B", "field": "H", "force": "F"}


def loading_inputs(name: str = "strain", unit: str = "-") -> tuple[Quantity, ...]:
    """The three features of a loading: its value, its rate and the time step.

    Args:
        name: "strain", "displacement", "force", "flux density" or another.
        unit: of its value, such as "mm".
    """
    if name == "strain":
        return STRAIN_INPUTS
    return (
        Quantity(
            name,
            unit,
            f"{name} at the end of the step, zero at rest, where the path begins and all states "
            "are zero",
        ),
        Quantity(
            RATE, "1/s" if unit == "-" else f"{unit}/s", f"slope of the {name} during the step"
        ),
        Quantity(DT, "s", "length of the step, above zero"),
    )


def response_target(name: str = "stress", unit: str = "MPa") -> Quantity:
    """The response at the end of a step.

    Args:
        name: "stress", "force", "displacement", "field" or another.
        unit: of it.
    """
    return Quantity(name, unit, f"{name} at the end of the step")


def is_loading(names: Sequence[str]) -> bool:
    """Whether features are a loading, its rate and the time step.

    Args:
        names: of the features.
    """
    return len(names) == 3 and list(names[1:]) == [RATE, DT]


def axis_label(quantity: Quantity) -> str:
    """Label of an axis with symbol and unit, such as "strain ε [-]".

    Args:
        quantity: that is drawn.
    """
    symbol = SYMBOLS.get(quantity.name)
    return f"{quantity.name} {symbol} [{quantity.unit}]" if symbol else (
        f"{quantity.name} [{quantity.unit}]"
    )  # fmt: skip


def relation(inputs: Sequence[Quantity], targets: Sequence[Quantity]) -> str:
    """What a model computes from what, such as "strain, strain rate and time step to stress".

    Args:
        inputs: three features.
        targets: one.
    """
    return f"{inputs[0].name}, {inputs[0].name} rate and time step to {targets[0].name}"
