"""Materials with memory: certify a model, compare all, identify a law, hand it to a solver.

certify      is what a model learnt a material, and how far does it hold?
leaderboard  every preset, trained under one budget, scored on every split
identify     fit a law to a measured test, with intervals
export       one step of a saved model, with its tangent, as C or Fortran
train        one preset, trained, certified, exported
"""

import argparse
import sys
from pathlib import Path

from zoo.identification import measured as identification

MODELS = (
    *("prony", "maxwell", "relaxation", "lmsc"),
    *("rnn", "gru", "lstm", "convolution", "transformer"),
)


def main(arguments: list[str] | None = None) -> int:
    """Read the options and call what they name."""
    options = parser().parse_args(arguments)
    return options.act(options)


def parser() -> argparse.ArgumentParser:
    """Options of the command line; `--help` is answered without loading TensorFlow."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.materials",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    certify = commands.add_parser(
        "certify", help="pass (exit code 0) or fail (1) against stated thresholds"
    )
    certify.add_argument("model", type=Path, help="saved model, .keras file or SavedModel folder")
    certify.add_argument("--out", type=Path, help="folder of the page")
    certify.add_argument(
        "--law",
        type=float,
        nargs=4,
        metavar=("E", "NU0", "SIGMA0", "M"),
        help="true law in MPa, s, MPa, -, where it is known and no manifest says it",
    )
    certify.set_defaults(act=_certify)

    board = commands.add_parser("leaderboard", help="every model on every split")
    board.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    board.add_argument("--seeds", type=int, default=5, help="runs of each model (default 5)")
    board.add_argument("--jobs", type=int, default=1, help="processes at a time (default 1)")
    board.set_defaults(act=_leaderboard)

    run = commands.add_parser("run", help="one run of the leaderboard")
    run.add_argument("model", choices=MODELS)
    run.add_argument("seed", type=int)
    run.set_defaults(act=_run)
    for each in (board, run):
        each.add_argument("--epochs", type=int, default=16, help="of each run (default 16)")
        each.add_argument("--steps", type=int, default=250, help="batches an epoch (default 250)")
        each.add_argument("--folder", type=Path, default=Path("reports/leaderboard"))

    identify = commands.add_parser("identify", help="constants of a law from a measured test")
    identification.add_options(identify)
    identify.set_defaults(act=_identify)

    export = commands.add_parser("export", help="a saved model's step for a solver")
    export.add_argument("model", type=Path, help="folder of a saved model")
    language = export.add_mutually_exclusive_group(required=True)
    language.add_argument("--c", action="store_true", help="a C99 function")
    language.add_argument("--fortran", action="store_true", help="a subroutine, and a UMAT")
    export.add_argument("--out", type=Path, help="file (default: NAME.c or NAME.f90)")
    export.set_defaults(act=_export)

    train = commands.add_parser("train", help="train, certify and export one preset")
    train.add_argument("model", choices=MODELS[:4])
    train.add_argument("--epochs", type=int, default=24, help="of 250 batches (default 24)")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--out", type=Path, help="folder (default: saved_models/material-MODEL)")
    train.add_argument("--reports", type=Path, default=Path("reports"))
    train.add_argument("--checkpoint", type=Path, help="file to continue from, and to save to")
    train.set_defaults(act=_train)
    return parser


def _certify(options: argparse.Namespace) -> int:
    from zoo.certificate.certify import certify
    from zoo.data.maxwell import Material

    name = options.model.resolve().stem
    certificate = certify(
        options.model,
        options.out or Path("reports") / f"certificate-{name}",
        Material(*options.law) if options.law else None,
        command=f"python -m recipes.materials certify {name}",
    )
    print("passed" if certificate.passed else "not passed")
    return 0 if certificate.passed else 1


def _leaderboard(options: argparse.Namespace) -> int:
    from recipes.materials.leaderboard import leaderboard

    for name in ("seeds", "jobs", "epochs", "steps"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} must be 1 or more. Received: {getattr(options, name)}.")
    plan = _plan(options, tuple(dict.fromkeys(options.models)), options.seeds)
    try:
        page = leaderboard(plan, options.jobs)
    except KeyboardInterrupt:
        print(f"\ninterrupted: the same command goes on from {plan.runs}", file=sys.stderr)
        return 130
    print((options.folder / "leaderboard.md").read_text(encoding="utf-8"))
    print(f"report: {page}", file=sys.stderr)
    return 0


def _run(options: argparse.Namespace) -> int:
    from recipes.materials.leaderboard import run

    run(_plan(options, (options.model,), options.seed + 1), options.model, options.seed)
    return 0


def _plan(options: argparse.Namespace, models: tuple[str, ...], seeds: int):
    from recipes.materials.leaderboard import Plan

    return Plan(models, seeds, options.epochs, options.steps, options.folder)


def _identify(options: argparse.Namespace) -> int:
    arguments = {name: value for name, value in vars(options).items() if name != "act"}
    identification.identify(**arguments)
    return 0


def _export(options: argparse.Namespace) -> int:
    import re

    from zoo import solver
    from zoo.files import write_text
    from zoo.manifest import read_manifest
    from zoo.models import load

    facts = read_manifest(options.model)
    if "step" not in facts["signatures"]:
        raise ValueError(f"{options.model}: the model has no endpoint `step`, so it has no step.")
    loaded = load(options.model, "saved_model")
    step = loaded.signatures["step"]
    inputs = facts["signatures"]["step"]["inputs"]
    name = re.sub(r"\W", "_", facts["name"])
    program = solver.trace_function(
        lambda tensors: step(**tensors),
        {each: tensor["shape"][-1] for each, tensor in inputs.items()},
        name,
    )
    text = solver.c_source(program) if options.c else solver.fortran_source(program)
    out = options.out or Path(f"{name}.{'c' if options.c else 'f90'}")
    write_text(out, text)
    print(f"{out}: {name}_step, {len(program.next_states)} state variables", file=sys.stderr)
    return 0


def _train(options: argparse.Namespace) -> int:
    from recipes.materials.training import train

    return train(options)
