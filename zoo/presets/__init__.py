"""Models by name: how to build each, what it is, who published it.

    presets.named("maxwell").build(x, y)        stress models: `NAMES`, by kind `RECURRENT`,
    presets.recurrent("lstm", layers=2).build(x, y)     `MATERIAL`, `SOLIDS` and `BASELINES`
    presets.sound("residual_tiny", classes=10)  classifiers of sound: `SOUNDS`; of pictures:
    presets.picture("alexnet", classes=1000)    `PICTURES`

`registry` keeps what `@register(...)` adds, `sequences`, `materials` and `solids` have the stress
models, which run on TensorFlow, JAX and torch, `sounds` the convolutional networks, which run on
TensorFlow and are imported when the first of them is used.
"""

from typing import TYPE_CHECKING, Any

from zoo.presets import sequences  # noqa: F401  the oldest names first

# isort: split
from zoo.presets import continuous, materials, solids, state_space  # noqa: F401  registers them
from zoo.presets.registry import Entry, entry, names, register
from zoo.presets.sequences import Preset, baseline, material, named, recurrent

if TYPE_CHECKING:
    from zoo.presets.sounds import picture, sound, wheeze

RECURRENT = names("recurrent")
BASELINES = names("baseline")
MATERIAL = names("material")
SOLIDS = names("solid")
NAMES = (*RECURRENT, *BASELINES, *MATERIAL, *SOLIDS)
if TYPE_CHECKING:
    SOUNDS: tuple[str, ...]
    PICTURES: tuple[str, ...]

__all__ = [
    "BASELINES",
    "MATERIAL",
    "NAMES",
    "PICTURES",
    "RECURRENT",
    "SOLIDS",
    "SOUNDS",
    "Entry",
    "Preset",
    "baseline",
    "entry",
    "material",
    "named",
    "names",
    "picture",
    "recurrent",
    "register",
    "sound",
    "wheeze",
]


def __getattr__(name: str) -> Any:
    """Import the networks of sound, and TensorFlow with them, on first use."""
    if name in ("SOUNDS", "PICTURES", "picture", "sound", "wheeze"):
        from zoo.presets import sounds  # needs TensorFlow

        globals().update(
            SOUNDS=names("sound"),
            PICTURES=names("picture"),
            picture=sounds.picture,
            sound=sounds.sound,
            wheeze=sounds.wheeze,
        )
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
