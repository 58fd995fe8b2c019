"""Serve the app on this machine alone, from memory."""

import http.server
import mimetypes
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"
_TYPES = {
    **{".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"},
    **{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8"},
}


def make_server(content: Mapping[str, bytes], port: int = 0) -> http.server.ThreadingHTTPServer:
    """A server of files in memory at 127.0.0.1; `server_address[1]` is its port.

    Args:
        content: path -> bytes, such as "index.html".
        port: of the address; 0: a free one.

    Raises:
        OSError: if the port is taken.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            # Another site's script that reaches this port by a name of its own gets nothing.
            if self.headers.get("Host", "").partition(":")[0] not in (HOST, "localhost"):
                self.send_error(403)
                return
            name = unquote(urlsplit(self.path).path).lstrip("/") or "index.html"
            body = content.get(name)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            suffix = f".{name.rpartition('.')[2]}"
            kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0]
            self.send_header("Content-Type", kind or "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-cache")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: each page asks for some forty files."""

    return http.server.ThreadingHTTPServer((HOST, port), Handler)


def serve(content: Mapping[str, bytes], port: int = 0) -> None:
    """Serve until Ctrl-C.

    Args:
        content: path -> bytes.
        port: 0: a free one.

    Raises:
        OSError: if the port is taken.
        KeyboardInterrupt: Ctrl-C.
    """
    with make_server(content, port) as server:
        print(f"http://{HOST}:{server.server_address[1]}/", flush=True)
        server.serve_forever()
