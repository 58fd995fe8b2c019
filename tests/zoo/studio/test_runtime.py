"""LiteRT.js is taken as npm has it, or refused in one line."""

import io
import tarfile

import pytest

from zoo.studio import runtime


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    """An empty cache, and a registry that nobody answers for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")


def test_offline_the_cure_is_named(no_cache):
    with pytest.raises(ValueError, match=r"Go online once, or give a copy: `npm pack") as caught:
        runtime.find_runtime()
    assert "\n" not in str(caught.value)


def test_a_registry_is_an_address_of_the_web(no_cache, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "file:///etc")
    with pytest.raises(ValueError, match="must be an address of http"):
        runtime.find_runtime()


def test_a_damaged_cache_is_fetched_again(no_cache, tmp_path):
    cached = runtime.cache_folder() / runtime.ARCHIVE
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"half of an archive")
    with pytest.raises(ValueError, match="cannot be fetched"):
        runtime.find_runtime()


def test_another_archive_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "core.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in runtime.HASHES:
            archive.addfile(tarfile.TarInfo(f"package/{name}"), io.BytesIO())
    with pytest.raises(ValueError, match="the SHA-512 differs"):
        runtime.find_runtime(path)


def test_a_folder_with_a_changed_file_is_refused(litert_js, tmp_path):
    for name, content in ((runtime.LOADER, litert_js.loader), (runtime.WASM, litert_js.wasm)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert runtime.find_runtime(tmp_path) == litert_js
    (tmp_path / runtime.LOADER).write_bytes(litert_js.loader + b" ")
    with pytest.raises(ValueError, match="its SHA-256 differs"):
        runtime.find_runtime(tmp_path)
    with pytest.raises(ValueError, match="no such file or folder"):
        runtime.find_runtime(tmp_path / "nothing")
