"""Explanations of sound classifiers: occlusion maps in seconds and hertz.

    explanation = explain(model, waveform, classes)
    explanation = explain_recording(model, "dog.wav", classes, start_s=2.0)
    print(explanation.sentence())
    explanation.figure().savefig("explanation.png")

`occlusion` computes the evidence, `recording` reads the clip, `report` adds a section with several
clips to a page.
"""

from zoo.explain.occlusion import Explanation, Region, explain
from zoo.explain.recording import explain_recording
from zoo.explain.report import add_explanations

__all__ = ["Explanation", "Region", "add_explanations", "explain", "explain_recording"]
