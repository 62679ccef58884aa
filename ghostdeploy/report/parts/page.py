"""Filling a template: one HTML file that needs nothing else."""

from __future__ import annotations

from ghostdeploy.errors import MissingExtraError


def fill(template: str, *, package: str = "ghostdeploy.report", **values: object) -> str:
    """``template`` of ``package``'s folder of templates with ``values``, every one escaped.

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
