"""The app as a folder, as one file and behind the server."""

import http.client
import shutil
import subprocess
import threading

import pytest

from zoo.studio import app
from zoo.studio.bundle import bundle
from zoo.studio.server import make_server


@pytest.fixture(scope="module")
def single_page(litert_js, tmp_path_factory):
    path = tmp_path_factory.mktemp("studio") / "page.html"
    assert app.write_page(path, litert_js) <= 6e6
    return path


@pytest.mark.parametrize("room", ["material", "sound", "models"])
def test_one_file_opens_without_a_server_and_asks_for_nothing(browser, single_page, room):
    page = browser.open(f"{single_page.as_uri()}#{room}")
    page.wait(f"document.querySelector('[data-room={room}][data-ready]')")
    assert page.errors == []
    assert [each for each in page.requests if not each.startswith(("file:", "data:"))] == []


def test_a_folder_is_written_again_but_no_other_one(litert_js, tmp_path, monkeypatch):
    monkeypatch.setattr(app, "studio_models", lambda single_file=False: iter(()))
    folder = tmp_path / "site"
    assert app.write_folder(folder, litert_js) <= 15e6
    app.write_folder(folder, litert_js)
    assert {"index.html", "main.js", "runtime", "models", "rooms"} <= {
        path.name for path in folder.iterdir()
    }
    assert "{policy}" not in (folder / "index.html").read_text()
    (folder / app.MARK).unlink()
    with pytest.raises(ValueError, match="`zoo studio` did not write it"):
        app.write_folder(folder, litert_js)


def test_the_app_stays_below_15_mb(litert_js):
    sizes = {name: len(content) for name, content in app.app_files(litert_js)}
    assert sum(sizes.values()) <= 15e6
    assert not any(name.startswith("page/") for name in sizes)


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [("/", "127.0.0.1", 200), ("/../app.py", "localhost", 404), ("/", "evil.example", 403)],
)
def test_the_server_answers_this_machine_with_the_files_of_the_app(path, host, status):
    with make_server({"index.html": b"page"}) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
        connection.request("GET", path, headers={"Host": host})
        reply = connection.getresponse()
        assert reply.status == status
        if status == 200:
            assert reply.read() == b"page"
            assert reply.headers["Content-Type"].startswith("text/html")
        connection.close()
        server.shutdown()


def test_modules_are_joined_in_the_order_of_their_imports(tmp_path):
    sources = {
        "main.js": 'import { two as zwei, Box } from "./inner/two.js";\n'
        "console.log(zwei(), new Box().x);",
        "inner/two.js": 'import { one } from "../one.js";\n'
        "export async function unused() {}\nexport function two() { return one + one; }\n"
        "export class Box { constructor() { this.x = 7; } }",
        "one.js": "export const one = 1;",
        "other.js": "no JavaScript",
    }
    text = bundle(sources, "main.js")
    assert "no JavaScript" not in text
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    done = subprocess.run(["node", "-e", text], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "7"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('import { a } from "./b.js";', "imports b.js, which is not there"),
        ('import { a } from "./main.js";', "imports itself"),
        ('import a from "./b.js";', "form of import or export that is not known"),
        ('const a = await import("./b.js");', "form of import or export that is not known"),
        ("export default 1;", "form of import or export that is not known"),
    ],
)
def test_other_forms_of_import_are_refused(source, message):
    with pytest.raises(ValueError, match=message):
        bundle({"main.js": source}, "main.js")
