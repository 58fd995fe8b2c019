"""Names for command lines: networks that were renamed, methods of explanation."""

import sys

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
