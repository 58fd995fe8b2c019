"""A headless Chromium, driven by its DevTools protocol: one for all tests."""

import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_S = 60


def find_browser() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """Chromium without a window; `open` makes a page of it."""

    def __init__(self, *options: str) -> None:
        program = find_browser()
        assert program, "no Chromium"
        self.folder = tempfile.TemporaryDirectory(prefix="zoo-browser-", ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [
                *(program, "--headless=new", "--no-sandbox", "--remote-debugging-port=0"),
                *("--no-first-run", "--disable-gpu", "--disable-extensions", "--mute-audio"),
                *("--disable-dev-shm-usage", "--disable-background-networking"),
                *(f"--user-data-dir={self.folder.name}", *options, "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.connection = contextlib.ExitStack()
        self.port = self._read_port()

    def _read_port(self) -> int:
        file = Path(self.folder.name, "DevToolsActivePort")
        for _ in range(20 * TIMEOUT_S):
            if file.is_file() and (lines := file.read_text().split()):
                return int(lines[0])
            if self.process.poll() is not None:
                raise RuntimeError(f"Chromium ended with code {self.process.returncode}.")
            time.sleep(0.05)
        raise TimeoutError("Chromium did not start.")

    def open(self, address: str = "about:blank", width: int = 1280, height: int = 900) -> "Page":
        with urlopen(f"http://127.0.0.1:{self.port}/json/list", timeout=TIMEOUT_S) as reply:
            targets = json.load(reply)
        blank = next(each for each in targets if each["type"] == "page")
        self.connection.close()  # of the page before
        socket = self.connection.enter_context(
            connect(blank["webSocketDebuggerUrl"], max_size=None)
        )
        page = Page(socket)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.go("about:blank")
        page.errors.clear()  # of the page before
        page.requests.clear()
        page.resize(width, height)
        page.go(address)
        return page

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait(TIMEOUT_S)
        self.folder.cleanup()


class Page:
    """A page; `errors` is what its console was told, `requests` the addresses it asked for."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.calls = 0
        self.errors: list[str] = []
        self.requests: list[str] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.calls += 1
        self.socket.send(json.dumps({"id": self.calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=TIMEOUT_S))
            if message.get("id") == self.calls:
                if "error" in message:
                    raise RuntimeError(message["error"])
                return message["result"]
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        method, values = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and values["entry"]["level"] == "error":
            self.errors.append(values["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and values["type"] == "error":
            texts = [str(each.get("value", each.get("description"))) for each in values["args"]]
            self.errors.append(" ".join(texts))
        elif method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])

    def go(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """Value of an expression, a promise's when it is kept, as JSON has it."""
        reply = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in reply:
            details = reply["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return reply["result"].get("value")

    def wait(self, condition: str, timeout_s: float = TIMEOUT_S) -> None:
        self.wait_until(lambda: bool(self.evaluate(f"Boolean({condition})")), condition, timeout_s)

    def wait_until(
        self, is_done: Callable[[], bool], what: str, timeout_s: float = TIMEOUT_S
    ) -> None:
        end = time.monotonic() + timeout_s
        while not is_done():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}; errors of the page: {self.errors}")
            time.sleep(0.05)

    def resize(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def prefer(self, **features: str) -> None:
        """Media features, such as prefer(**{"prefers-color-scheme": "dark"})."""
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )

    def mouse(self, kind: str, x: float, y: float) -> None:
        """One of mousePressed, mouseMoved, mouseReleased at a place of the window."""
        buttons = {"button": "left", "buttons": 1, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **buttons)

    def key(self, name: str) -> None:
        """Press and release a key, such as ArrowUp."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def screenshot(self, whole: bool = True) -> bytes:
        reply = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(reply["data"])
