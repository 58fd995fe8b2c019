"""`zoo describe NAME`: a saved model, or the layers of a network."""

import argparse

from zoo import description, folders
from zoo.cli import output
from zoo.cli.options import Subcommands, add_json, positive_float, positive_int
from zoo.manifest import read_manifest
from zoo.names import current_name
from zoo.progress import printable


def add_parser(commands: Subcommands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "describe",
        help="a saved model, or the layers of a network",
        description="Describe a saved model: inputs and outputs, metrics beside baselines, files, "
        "limits. Or a network by name, such as alexnet or residual_tiny: sizes, parameters and "
        "multiply-accumulates of every layer.",
    )
    parser.add_argument("name", metavar="NAME", help="a saved model (name or folder) or a network")
    network = parser.add_argument_group("networks")
    network.add_argument(
        "--classes", type=positive_int, help="(default: 1000 for pictures, 10 for sound)"
    )
    network.add_argument(
        "--rate",
        type=positive_float,
        default=32_000,
        metavar="HZ",
        help="sample rate of sound (default: 32000)",
    )
    network.add_argument(
        "--seconds", type=positive_float, default=5.0, help="length of a clip (default: 5)"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print a description of the saved model, or of the network.

    Raises:
        ValueError: neither a saved model nor a network has that name.
    """
    if folders.exists(options.name):
        manifest = read_manifest(folders.find(options.name))
        if options.json:
            output.print_json(manifest)
        else:
            print(printable(description.describe_model(manifest)))
        return
    from zoo import networks  # only now: it builds with Keras, which takes seconds to import

    name = current_name(options.name)
    if name not in networks.network_names():
        models = ", ".join(folder.name for folder in folders.list_folders())
        raise ValueError(
            f"{options.name}: expected a saved model ({models or 'there is none here'}) or a "
            f"network ({', '.join(networks.network_names())})."
        )
    network = networks.describe_network(name, options.classes, options.rate, options.seconds)
    if options.json:
        output.print_json(network)
    else:
        print(printable(network.text()))
