"""Explanations of sound models: evidence for a class, in seconds and hertz.

    explanation = explain(model, waveform, classes, method="integrated-gradients")
    explanation = explain_recording(model, "dog.wav", classes, start_s=2.0)
    print(explanation.sentence())
    explanation.figure().savefig("explanation.png")

`methods` has `explain` and the table of methods, `occlusion` and `gradients` compute the evidence,
`recording` reads the clip, `report` adds a section with several clips to a page.
"""

from zoo.explain.explanation import Explanation, Region
from zoo.explain.listen import evidence_sound
from zoo.explain.methods import explain
from zoo.explain.recording import evidence_of_recording, explain_recording, explain_windows
from zoo.explain.report import add_explanations, explanation_page
from zoo.names import DEFAULT_EXPLANATION, EXPLANATIONS

__all__ = [
    "DEFAULT_EXPLANATION",
    "EXPLANATIONS",
    "Explanation",
    "Region",
    "add_explanations",
    "evidence_of_recording",
    "evidence_sound",
    "explain",
    "explain_recording",
    "explain_windows",
    "explanation_page",
]
