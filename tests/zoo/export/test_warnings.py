"""What must not be overlooked stands first on the card and in the description."""

import json
from pathlib import Path

from zoo.description import describe_model
from zoo.export.card import card_text

MODEL = Path(__file__).parents[3] / "saved_models" / "material-maxwell"
WARNING = "Training was interrupted after epoch 1: this is no finished result."


def test_a_warning_stands_first():
    manifest = {"data_licence": "none", **json.loads((MODEL / "manifest.json").read_text())}
    assert "**" not in card_text(manifest)[:200]
    manifest["warnings"] = [WARNING]
    assert card_text(manifest).split("\n\n")[1] == f"**{WARNING}**"
    text = describe_model(manifest)
    assert text.index("interrupted") < text.index(manifest["description"][:20])
