"""Sphinx's configuration; `make docs` builds the pages into `results/docs`."""

from typing import TYPE_CHECKING, Any

from experiments.docs.fill import fill
from mhgym import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "mhgym"
author = "The mhgym authors"
project_copyright = "the mhgym authors, MIT licence"
release = __version__
extensions = ["myst_parser"]
nitpicky = True
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
smartquotes = False
html_theme = "furo"
html_title = f"mhgym {__version__}"
html_static_path = ["static"]
html_css_files = ["docs.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # which a browser may not read from disk


def setup(app: "Sphinx") -> dict[str, Any]:
    """Fill pages as they are read."""
    app.connect("source-read", lambda _, __, source: source.__setitem__(0, fill(source[0])))
    return {"parallel_read_safe": True}
