"""A manifest is sealed, and names every file of its folder with size and SHA-256."""

import hashlib
import json

import pytest

from zoo.manifest import file_entries, read_manifest, verified_bytes, verify_folder, write_manifest


@pytest.fixture
def model(tmp_path):
    """A folder with two files and a manifest."""
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "step.tflite").write_bytes(b"TFL3" * 9)
    manifest = {"format": 2, "name": "small", "formats": {}, "signatures": {}}
    write_manifest(tmp_path, {**manifest, "files": file_entries(tmp_path)})
    return tmp_path


def test_a_written_manifest_is_read(model):
    manifest = verify_folder(model)
    assert manifest == read_manifest(model)
    assert list(manifest["files"]) == ["serving/saved_model.pb", "step.tflite"]
    assert manifest["files"]["step.tflite"] == {
        "sha256": hashlib.sha256(b"TFL3" * 9).hexdigest(),
        "bytes": 36,
    }
    assert verified_bytes(model, manifest, "step.tflite") == b"TFL3" * 9


def test_the_seal_is_the_hash_of_the_bytes_with_zeros_in_its_place(model):
    content = (model / "manifest.json").read_bytes()
    seal = json.loads(content)["seal"]
    zeros = content.replace(seal.encode(), b"0" * 64)
    assert hashlib.sha256(zeros).hexdigest() == seal


def test_a_changed_manifest_is_refused(model):
    path = model / "manifest.json"
    path.write_text(path.read_text().replace('"small"', '"great"'))
    with pytest.raises(ValueError, match="seal is broken"):
        verify_folder(model)
    with pytest.raises(ValueError, match="seal is broken"):
        read_manifest(model)


def test_writing_again_seals_again(model):
    manifest = read_manifest(model)
    write_manifest(model, {**manifest, "name": "other"})
    again = verify_folder(model)
    assert again["name"] == "other" and again["seal"] != manifest["seal"]


@pytest.mark.parametrize("file", ["step.tflite", "serving/saved_model.pb"])
def test_a_single_flipped_bit_is_found(model, file):
    content = bytearray((model / file).read_bytes())
    content[len(content) // 2] ^= 1
    (model / file).write_bytes(content)
    with pytest.raises(ValueError, match="SHA-256 differs"):
        verify_folder(model)


def test_a_missing_file_is_named(model):
    (model / "step.tflite").unlink()
    with pytest.raises(ValueError, match=r"step\.tflite: the file is missing"):
        verify_folder(model)
    with pytest.raises(ValueError, match=r"step\.tflite: the file is missing"):
        verified_bytes(model, read_manifest(model), "step.tflite")


def test_a_file_too_many_is_named(model):
    (model / "serving" / "assets.extra").write_text("x")
    with pytest.raises(ValueError, match=r"extra: the file is not in the manifest"):
        verify_folder(model)


def test_a_file_without_a_hash_is_not_returned(model):
    (model / "other").write_text("x")
    with pytest.raises(ValueError, match="no hash of it"):
        verified_bytes(model, read_manifest(model), "other")


@pytest.mark.parametrize("file", ["../x", "/etc/hostname", "a\\b", "serving/saved_model.pb"])
def test_a_name_outside_the_folder_is_refused(model, file):
    with pytest.raises(ValueError, match="name of a file in the folder"):
        verified_bytes(model, read_manifest(model), file)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"files": 3}', '{"files": {"a": 3}}', "\x00", "[" * 100_000]
)
def test_text_that_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match="not a manifest"):
        verify_folder(tmp_path)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": 3},
        {"limits": "x"},
        {"classes": [1]},
        {"parameters": True},
        {"metrics": {"walk": 3}},
        {"signatures": {"step": {"inputs": {"x": {"shape": "3"}}, "outputs": {}}}},
        {"front_end": {"sample_rate_hz": "16000"}},
    ],
)
def test_entries_of_another_kind_are_no_manifest_though_sealed(model, entry):
    write_manifest(model, {**read_manifest(model), **entry})
    with pytest.raises(ValueError, match="not a manifest"):
        read_manifest(model)


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no manifest\.json"):
        read_manifest(tmp_path)


def test_nan_is_not_written(model):
    old = (model / "manifest.json").read_text()
    with pytest.raises(ValueError, match="JSON"):
        write_manifest(model, {"metric": float("nan")})
    assert (model / "manifest.json").read_text() == old


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('{\n "format"', '{\n "format": 3,\n "format"', 1),
        lambda text: text.replace('"files"', '"x": ' + "[" * 40 + "]" * 40 + ', "files"', 1),
        lambda text: text.replace('"files"', '"x": NaN, "files"', 1),
    ],
)
def test_keys_twice_deep_nesting_and_nan_are_no_manifest(model, change):
    path = model / "manifest.json"
    changed = change(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    with pytest.raises(ValueError, match="not a manifest"):
        read_manifest(model)
