"""Templates of a page: everything in them is escaped, and nothing in it hides or reorders text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x0tta_cli.core.text import escape_lines
from x0tta_cli.pages.palette import css_variables

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

LIGHT, DARK = 0, 1


def environment_of(package: str) -> Environment:
    """Make an environment over the templates of a package, which extend `base.html.jinja`.

    The package has a `style.css.jinja`; the palette stands in `light` and `dark`.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("x0tta_cli.pages")]),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        light=finished(css_variables(LIGHT)),
        dark=finished(css_variables(DARK)),
    )
    return environment


def finished(markup: str) -> Markup:
    """Let a figure or a style stand in a page as it is: an XML writer escaped all text in it."""
    from markupsafe import Markup

    return Markup(markup)  # noqa: S704 - see above


def _finalize(value: object) -> object:
    """Write out what hides in text before it is escaped; markup is finished already."""
    from markupsafe import Markup

    if isinstance(value, str) and not isinstance(value, Markup):
        return escape_lines(value)
    return value
