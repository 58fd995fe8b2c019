"""Registration of this package's Keras classes, without importing Keras or any of them.

`keras.models.load_model("x.keras")` looks a class up by its registered name, such as
"zoo>VisibleRNN". After `import zoo`, as soon as somebody imports Keras, each of these names stands
for a small object that imports `zoo.registration`, and with it the classes, when it is first used.
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PACKAGE = "zoo"
# Every class of this package that a `.keras` file may name; a test compares it with the source.
CLASSES = (
    "AddNoise",
    "BandStatistics",
    "Bands",
    "BoucWenCell",
    "BoucWenOscillatorCell",
    "CfCCell",
    "ChabocheCell",
    "CoRNNCell",
    "CovariateCell",
    "ConvNetModel",
    "DamperCell",
    "DynamicPrandtlCell",
    "EMSCCell",
    "Equaliser",
    "FreqMixStyle",
    "GRUCell",
    "Gain",
    "Increments",
    "LMSCCell",
    "LMUCell",
    "LRUCell",
    "LSTMCell",
    "LogScale",
    "MaxwellCell",
    "MinGRUCell",
    "MinPooling2D",
    "Mixer",
    "MullinsCell",
    "Normalise",
    "OpenSet",
    "PCEN",
    "PrandtlIshlinskiiCell",
    "Prominence",
    "PronyCell",
    "RecurrentModel",
    "ReferenceLevel",
    "RelaxationCell",
    "ResponseNormalisation",
    "Room",
    "RunningMean",
    "STFT",
    "SimpleRNNCell",
    "SolidCell",
    "SpecAugment",
    "Spectrogram",
    "StandardCell",
    "Standardize",
    "StateSpaceCell",
    "StreamingSpectrogram",
    "TeacherFrontEnd",
    "TimeQuantile",
    "TimeShift",
    "Trim",
    "UnknownClass",
    "VisibleRNN",
)


class LateClass:
    """Stands for a registered class until it is used: only its `from_config` is needed by Keras."""

    def __init__(self, name: str) -> None:
        self.name = name

    def from_config(self, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        """Import the class and build an object from its configuration.

        Args:
            config: of the object.
            custom_objects: name -> class, of the caller's own.

        Raises:
            ValueError: Keras runs on a backend that the class does not run on.
        """
        importlib.import_module("zoo.registration")  # by name: it stands above this module
        keras = sys.modules["keras"]
        # not get_registered_object: while Keras opens a file, it looks in a copy made before
        registered = keras.saving.get_custom_objects()[self.name]
        if registered is self:
            raise ValueError(
                f"{self.name} runs on the backend TensorFlow of Keras only. Received: "
                f"{keras.backend.backend()}. Set KERAS_BACKEND=tensorflow."
            )
        with keras.saving.custom_object_scope(custom_objects or {}):
            return registered.from_config(dict(config))


def register_late() -> None:
    """Give Keras the names of all classes, now or as soon as it is imported."""
    if "keras" in sys.modules:
        _register(sys.modules["keras"])
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _register(keras: ModuleType) -> None:
    registry = keras.saving.get_custom_objects()
    for name in CLASSES:
        registry.setdefault(f"{PACKAGE}>{name}", LateClass(f"{PACKAGE}>{name}"))


class _AfterKeras:
    """Finder of modules that calls `_register` once, behind the import of Keras."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                _register(module)

            spec.loader.exec_module = execute_and_register
        return spec
