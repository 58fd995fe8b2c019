"""On the device: numpy and ai-edge-litert only, never TensorFlow. One runtime for stress and sound.

    model = zoo.edge.open("saved_models/hysteresis-lstm")
    stress = model.step([stretch, rate, dt])["prediction"]

    listener = zoo.edge.Listener(zoo.edge.open("saved_models/hearing-aid", weights="int8"), 48_000)
    for answer in listener.hear(block):  # any number of samples, any channels, int16 or float
        answer.condition, answer.program.name, answer.level_dbfs

`zoo.manifest` verifies, `runtime` steps, `condition`, `resampling` and `listening` take sound,
`decision` picks the program; `capture` and `loading` are where sound and stretch come from.
`graph`, `counting`, `latency` and `microcontroller` find out what `cost` and `budget` report.
`python -m zoo.edge` is the command line of both.
"""

from zoo.edge.condition import Condition
from zoo.edge.decision import Decision, Program, Settings
from zoo.edge.listening import Answer, Listener
from zoo.edge.resampling import Resampler
from zoo.edge.runtime import StepModel, open

__all__ = [
    "Answer",
    "Condition",
    "Decision",
    "Listener",
    "Program",
    "Resampler",
    "Settings",
    "StepModel",
    "open",
]
