"""Licences of published corpora, and of weights that were trained on them."""

from typing import NamedTuple

WEIGHTS_LICENCE = "Apache-2.0"  # of this package
SYNTHETIC = "synthesised by this package, Apache-2.0."


class Licence(NamedTuple):
    """Licences of a trained model.

    Attributes:
        weights: SPDX expression.
        data: terms of the training data, one clause with a full stop.
    """

    weights: str = WEIGHTS_LICENCE
    data: str = SYNTHETIC


# By the beginning of a corpus' title. Weights of data for restricted use are restricted alike.
_TERMS = {
    "ESC-10": Licence(WEIGHTS_LICENCE, "CC BY (Piczak 2015)"),
    "ESC-50": Licence("LicenseRef-non-commercial", "CC BY-NC (Piczak 2015)"),
    "UrbanSound8K": Licence(
        "LicenseRef-non-commercial", "CC BY-NC (Salamon, Jacoby and Bello 2014)"
    ),
    "TAU Urban": Licence(
        "LicenseRef-non-commercial", "for non-commercial use only (Tampere University)"
    ),
    "ICBHI 2017": Licence("LicenseRef-research-only", "free for research (Rocha et al. 2019)"),
}


def licence_of(title: str) -> Licence:
    """Licences of a model that was trained on a corpus.

    Args:
        title: of the corpus, as `zoo.data.corpora.Corpus` has it.
    """
    for name, terms in _TERMS.items():
        if title.startswith(name):
            return Licence(terms.weights, f"{title}, {terms.data}.")
    return Licence(
        "LicenseRef-unknown", f"{title}; look up its licence before you use the weights."
    )
