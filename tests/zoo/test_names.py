"""Names of models by folders, and names that TensorFlow takes."""

import re

import pytest

from recipes.scenes.settings import Settings
from zoo.names import graph_name, slug
from zoo.teaching.settings import TeachSettings

# of TensorFlow's own message on a wrong root scope
SCOPE = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("esc10", "esc10"),
        ("my_Sounds", "my_sounds"),
        ("Zu Hörer (2)", "zu-horer-2"),
        ("a.b, c", "a-b-c"),
        ("звуки 2", "звуки-2"),
        ("!!", "unnamed"),
    ],
)
def test_the_slug_of_a_folder(folder, expected):
    assert slug(folder) == expected


@pytest.mark.parametrize("name", ["a-b", "sounds-zu hause", "звуки", "2 birds", "", "a/b", "_x"])
def test_a_graph_has_a_name_that_tensorflow_takes(name):
    assert SCOPE.match(graph_name(name))


def test_a_plain_name_only_loses_its_hyphens():
    assert graph_name("scenes-tiny") == "scenes_tiny"


def test_models_of_a_folder_with_a_space_have_a_name_for_graphs_and_c(tmp_path):
    folder = tmp_path / "My Sounds"
    assert TeachSettings(folder).paths.name == "sounds-my-sounds"
    assert Settings(data=folder).paths.name == "scenes-my-sounds"
