"""Names: of models by their folders, of graphs, of networks that were renamed, of explanations."""

import re
import sys
import unicodedata

# Old name -> what the network is: `crnn_hop` is convolutional and recurrent; `residual_tiny` has
# seven layers with shortcuts and strides. Only networks of five convolutions and three poolings
# are called "alexnet".
RENAMED = {
    "alexnet_hop": "crnn_hop",
    "alexnet_tiny": "residual_tiny",
    "alexnet_tiny_causal": "residual_tiny_causal",
}


def current_name(name: str) -> str:
    """The present name of a network; an old one is answered with a line on standard error.

    Fits `type=` of an `argparse` option with `choices`.

    Args:
        name: of a network, old or present; others pass unchanged.
    """
    new = RENAMED.get(name, name)
    if new != name:
        print(f"note: {name} is now called {new}", file=sys.stderr)
    return new


def slug(text: str) -> str:
    """Part of the name of a model by the name of a folder: "Zu Hörer (2)" -> "zu-horer-2".

    Letters lose their accents and become small; what is neither letter, digit nor _ is a hyphen.
    Letters that ASCII lacks stay: then a model has no C files, which need a --name.

    Args:
        text: any.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    words = re.findall(r"\w+", unicodedata.normalize("NFC", plain))
    return "-".join(words).lower() or "unnamed"


def graph_name(name: str) -> str:
    """Name of a Keras model by that of a saved model: "zu hause" -> "zu_hause".

    TensorFlow takes ASCII letters, digits and _ in the scope of a graph, a letter first.

    Args:
        name: of a saved model.
    """
    result = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return result if result[:1].isalpha() else f"model_{result}"


# Methods of `zoo.explain`, which is not imported for a --help.
DEFAULT_EXPLANATION = "smoothgrad"  # by the rule of recipes/explain/choice.py
EXPLANATIONS = (
    "occlusion",
    "gradient",
    "integrated-gradients",
    "smoothgrad",
    "guided-backpropagation",
    "deconvolution",
    "grad-cam",
)
