"""A web app of the saved models that runs in the browser alone: `zoo studio`.

`runtime` fetches LiteRT.js, `models` chooses what the page needs of each saved model, `app` puts
the files of the app together, as a folder or as one HTML file, and `server` serves them on this
machine. `model_page` is a page of one model, without that runtime. The app itself stands in
`web/`: plain HTML, CSS and JavaScript modules.
"""

from zoo.studio.app import app_files, write_folder, write_page
from zoo.studio.model_page import model_page
from zoo.studio.runtime import find_runtime
from zoo.studio.server import serve

__all__ = ["app_files", "find_runtime", "model_page", "serve", "write_folder", "write_page"]
