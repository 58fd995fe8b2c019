"""Files and folders are replaced as a whole or not at all, and nothing is left behind."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from zoo import files

ROOT = Path(__file__).parents[2]


def test_a_file_is_written_and_its_folders_are_made(tmp_path):
    target = tmp_path / "a" / "b" / "table.csv"
    files.write_text(target, "größer\n")
    assert target.read_bytes() == "größer\n".encode()
    files.write_bytes(target, b"\x00\r\n")
    assert target.read_bytes() == b"\x00\r\n"
    assert os.listdir(target.parent) == ["table.csv"]


def test_the_old_file_is_there_until_the_block_ends(tmp_path):
    target = tmp_path / "figure.png"
    target.write_text("old")
    with files.writing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        assert temporary.parent == tmp_path and temporary.suffix == ".png"
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "model.keras"
    target.write_text("old")
    with pytest.raises(type(error)), files.writing(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["model.keras"]


def test_a_failed_rename_leaves_nothing_else(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(OSError), files.writing(target) as temporary:
        temporary.write_text("a file cannot replace a folder")
    assert os.listdir(tmp_path) == ["folder"]


def test_text_that_the_encoding_lacks_leaves_the_old_file(tmp_path):
    target = tmp_path / "a.c"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        files.write_text(target, "µ", encoding="ascii")
    assert target.read_text() == "old" and os.listdir(tmp_path) == ["a.c"]


def test_a_full_disk_names_the_file_or_folder(tmp_path):
    full = OSError(28, "No space left on device")
    target = tmp_path / "a.csv"
    with (
        pytest.raises(OSError, match=r"No space left on device: '.*/a\.csv'"),
        files.writing(target),
    ):
        raise full
    with (
        pytest.raises(OSError, match=r"No such file or directory: '.*/a\.csv'"),
        files.writing(target) as temporary,
    ):
        temporary.read_bytes()
    with (
        pytest.raises(OSError, match=r"No space left on device: '.*/model'"),
        files.replacing_folder(tmp_path / "model"),
    ):
        raise OSError(28, "No space left on device")


def test_a_full_temporary_folder_is_named():
    with (
        pytest.raises(OSError, match=r"File too large: '.*/zoo-[^/]*'"),
        files.private_folder() as folder,
    ):
        raise OSError(27, "File too large")
    assert not folder.exists()
    with (
        pytest.raises(OSError, match=r"/zoo-.*: 256 requested and 44 written"),
        files.private_folder(),
    ):
        raise OSError("256 requested and 44 written")  # as NumPy says it, without a number


ASIDE = {"writing", "_writing", "replacing_folder", "private_folder"}
# Functions that get a path of such a block, or a buffer in memory, from their caller.
INSIDE = {
    *("zoo/export/writer.py", "zoo/export/tflite.py", "zoo/export/precision.py"),
    *("zoo/data/cache.py", "zoo/data/shards.py", "zoo/checkpoints.py", "zoo/files.py"),
}
BUFFERS = {"content", "file", "buffer"}  # names of BytesIO


def writes_without_a_name(path):
    """Lines of a module that write a file outside the blocks that name it where they fail."""

    def visit(node, is_inside):
        if isinstance(node, ast.With):
            calls = [each.context_expr for each in node.items]
            names = {
                getattr(c.func, "attr", getattr(c.func, "id", ""))
                for c in calls
                if isinstance(c, ast.Call)
            }
            is_inside = is_inside or bool(names & ASIDE)
        if isinstance(node, ast.Call) and not is_inside and is_write(node):
            yield node.lineno
        for child in ast.iter_child_nodes(node):
            yield from visit(child, is_inside)

    return list(visit(ast.parse(path.read_text()), False))


def is_write(call):
    """Whether a call writes a file at a path by itself."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    owner = getattr(getattr(call.func, "value", None), "id", "")
    first = getattr(call.args[0], "id", "") if call.args else ""
    if name in ("write_bytes", "write_text"):
        return isinstance(call.func, ast.Attribute) and owner != "files"
    if name == "open":  # to write anew; what is appended to is a log
        modes = [a.value for a in call.args[-1:] if isinstance(a, ast.Constant)]
        return any(
            isinstance(mode, str) and set(mode) & set("wx") and len(mode) < 4 for mode in modes
        )
    is_saving = (owner == "np" and name.startswith("save")) or (owner, name) == (
        "soundfile",
        "write",
    )
    return (is_saving or name == "mkdtemp") and first not in BUFFERS


def test_nothing_writes_but_zoo_files():
    """A write that fails has to name its file; a bare one ends in "[Errno 28]" alone."""
    modules = [*ROOT.glob("zoo/**/*.py"), *ROOT.glob("recipes/**/*.py")]
    found = {}
    for path in modules:
        name = path.relative_to(ROOT).as_posix()
        if name not in INSIDE and not name.startswith("recipes/benchmarks/"):
            found[name] = writes_without_a_name(path)
    assert len(found) > 200
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "model"
    for content in ("old", "new"):
        with files.replacing_folder(target) as work:
            (work / "new" / "file").write_text(content)
    assert (target / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["model"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "model").write_text("a file")
    with (
        pytest.raises(NotADirectoryError, match=r"Not a directory: .*model"),
        files.replacing_folder(tmp_path / "model"),
    ):
        pass
    assert (tmp_path / "model").read_text() == "a file"


def test_a_folder_is_replaced_where_folders_cannot_be_swapped(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda *_: False)
    test_a_folder_is_replaced_as_a_whole(tmp_path)


def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path):
    target = tmp_path / "model"
    with files.replacing_folder(target) as work:
        (work / "new" / "file").write_text("old")
    with pytest.raises(OSError, match="disk"), files.replacing_folder(target) as work:
        (work / "new" / "file").write_text("half")
        raise OSError("disk full")
    assert (target / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["model"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    target = tmp_path / "model"
    code = (
        "import os, signal\n"
        "from zoo.files import replacing_folder\n"
        f"with replacing_folder({str(target)!r}) as work:\n"
        "    (work / 'new' / 'file').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists() and len(os.listdir(tmp_path)) == 1
    with files.replacing_folder(target) as work:
        (work / "new" / "file").write_text("whole")
    assert os.listdir(tmp_path) == ["model"]


def test_a_working_folder_in_use_is_not_removed(tmp_path):
    target = tmp_path / "model"
    with files.replacing_folder(target) as first:
        with files.replacing_folder(target) as second:
            (second / "new" / "file").write_text("second")
        assert first.exists()
        (first / "new" / "file").write_text("first")
    assert (target / "file").read_text() == "first"
    assert os.listdir(tmp_path) == ["model"]


def test_a_stale_folder_that_another_export_removes_meanwhile_is_no_error(tmp_path, monkeypatch):
    (tmp_path / ".model.partial-old").mkdir()
    original = files._lock

    def vanishing(folder, wait=True):
        if ".partial-old" in folder.name:
            folder.rmdir()
        return original(folder, wait)

    monkeypatch.setattr(files, "_lock", vanishing)
    with files.replacing_folder(tmp_path / "model") as work:
        (work / "new" / "file").write_text("new")
    assert os.listdir(tmp_path) == ["model"]


def test_exports_side_by_side_do_not_disturb_each_other(tmp_path):
    code = (
        "from zoo.files import replacing_folder\n"
        "for number in range(40):\n"
        f"    with replacing_folder({str(tmp_path / 'model')!r}) as work:\n"
        "        (work / 'new' / 'file').write_text('whole')\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(3)]
    assert [run.wait() for run in runs] == [0, 0, 0]
    assert os.listdir(tmp_path) == ["model"]
    assert (tmp_path / "model" / "file").read_text() == "whole"


def test_a_folder_is_held_by_one_process_until_it_ends(tmp_path):
    folder = tmp_path / "run"
    code = f"from zoo.files import hold_folder; hold_folder({str(folder)!r}); print(1, flush=True)"
    held = [sys.executable, "-c", f"{code}; input()"]
    with subprocess.Popen(
        held, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        with pytest.raises(ValueError, match="another run is writing there"):
            files.hold_folder(folder)
        files.hold_folder(tmp_path / "other")
        process.kill()
    files.hold_folder(folder)
    files.hold_folder(folder)  # the same process may
    assert os.listdir(tmp_path) == []


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    pipe, file, link = (tmp_path / name for name in ("pipe", "file", "link"))
    os.mkfifo(pipe)
    file.write_bytes(b"content")
    link.symlink_to(file)
    for path in (pipe, tmp_path):
        with pytest.raises(OSError, match=f"not a regular file: '{path}'"):
            files.read_regular(path)
    assert files.read_regular(link, 3) == b"con"
    with pytest.raises(OSError, match=str(link)):
        files.read_regular(link, follow=False)
