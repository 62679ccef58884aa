"""HTML pages that need nothing else: one script of ours, no requests, images inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from ghostdeploy.errors import MissingExtraError

PACKAGE = "ghostdeploy.report"  # whose templates the reports share
TABLES = ("tables.js",)  # makes tables sortable


def fill_template(
    template: str, *, package: str = PACKAGE, scripts: Sequence[str] = TABLES, **values: object
) -> str:
    """Fill ``template`` of ``package``'s folder of templates with ``values``, every one escaped.

    ``scripts`` are files of the same folder, the only ones that the page may run. The template
    finds their text and the page's policy under the names ``script`` and ``policy``. Raises
    MissingExtraError without Jinja2.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("jinja2", "report") from None
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = files(package).joinpath("templates")
    code = "\n".join(folder.joinpath(name).read_text("utf-8") for name in scripts)
    page = environment.get_template(template)
    return page.render(script=code, policy=write_policy(code), **values)


def write_policy(script: str) -> str:
    """Return a Content-Security-Policy by which nothing is fetched, and ``script`` alone runs."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline';"
        f" script-src 'sha256-{digest}'"
    )


def embed_svg(image: bytes) -> str:
    """Return an SVG file as the URI of an image within a page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(image).decode('ascii')}"
