"""Train networks on sounds whose truth is known, explain them by every method, compare."""

from pathlib import Path

from recipes.explain.blocks import Subject, measure, measure_random
from recipes.explain.networks import EVENTS, ONSETS, train_network
from recipes.explain.settings import Settings


def run(settings: Settings) -> Path:
    """Run the comparison and write its page and its table; returns the page."""
    settings.paths.check(exports=False)
    model, accuracy = train_network(EVENTS, settings)
    events = Subject(model, EVENTS, settings)
    measures = measure(events)
    random, layers = measure_random(events)
    model, onset_accuracy = train_network(ONSETS, settings)
    onsets = measure(Subject(model, ONSETS, settings))
    print(accuracy, onset_accuracy, layers, measures.keys(), onsets.keys(), random.keys())
    return settings.paths.report
