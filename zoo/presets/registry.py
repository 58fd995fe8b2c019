"""The registry of presets: name -> kind, builder, description, source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Kind = Literal["recurrent", "material", "solid", "baseline", "sound", "picture", "tones"]
Builder = TypeVar("Builder", bound=Callable[..., Any])


@dataclass(frozen=True)
class Entry:
    """A registered model.

    Attributes:
        name: under which it is registered.
        kind: "recurrent", "material", "solid" and "baseline" are sequence models of stress; "sound"
            and "picture" are classifiers, "tones" one that counts tonal lines.
        build: returns the model; its arguments depend on the kind.
        description: what it is, in a few words.
        source: who published it.
        learning_rate: at its peak, in training.
        compiled: whether XLA makes training faster, see `zoo.training.fit`.
    """

    name: str
    kind: Kind
    build: Callable[..., Any]
    description: str
    source: str
    learning_rate: float = 5e-3
    compiled: bool = False


_ENTRIES: dict[str, Entry] = {}


def register(
    name: str,
    kind: Kind,
    *,
    description: str,
    source: str,
    learning_rate: float = 5e-3,
    compiled: bool = False,
) -> Callable[[Builder], Builder]:
    """Decorator that registers a function as the builder of a preset.

    Args:
        name: of the preset.
        kind: see `Entry`.
        description: what it is, in a few words.
        source: who published it.
        learning_rate: at its peak, in training.
        compiled: whether XLA makes training faster.

    Raises:
        ValueError: the name is taken.
    """
    if name in _ENTRIES:
        raise ValueError(f"A preset needs a name of its own. Received: {name!r}, which exists.")

    def keep(build: Builder) -> Builder:
        _ENTRIES[name] = Entry(name, kind, build, description, source, learning_rate, compiled)
        return build

    return keep


def names(*kinds: Kind) -> tuple[str, ...]:
    """Names of all presets of these kinds, in the order of registration; of all kinds if none."""
    return tuple(name for name, each in _ENTRIES.items() if not kinds or each.kind in kinds)


def entry(name: str, *kinds: Kind, argument: str = "name") -> Entry:
    """The preset of a name.

    Args:
        name: of the preset.
        *kinds: to which it must belong; none: any.
        argument: of the caller, for the message.

    Raises:
        ValueError: no preset of that name and kind.
    """
    choices = names(*kinds)
    if name not in choices:
        raise ValueError(f"`{argument}` must be one of {', '.join(choices)}. Received: {name!r}.")
    return _ENTRIES[name]
