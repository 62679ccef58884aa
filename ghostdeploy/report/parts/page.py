"""HTML pages that need nothing else: no scripts, no requests, images inside."""

from __future__ import annotations

import base64

from ghostdeploy.errors import MissingExtraError

PACKAGE = "ghostdeploy.report"  # whose templates the reports share
# Nothing may be fetched, whatever a record says.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def fill_template(template: str, *, package: str, **values: object) -> str:
    """Fill ``template`` of ``package``'s folder of templates with ``values``, every one escaped.

    Raises MissingExtraError without Jinja2.
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
    return environment.get_template(template).render(**values)


def embed_svg(image: bytes) -> str:
    """Return an SVG file as the URI of an image within a page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(image).decode('ascii')}"
