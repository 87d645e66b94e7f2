"""The optional parts of the installation, and the word that names a missing one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from x0tta_cli.core.errors import UnsupportedError

# Import names that belong to each extra of pyproject.toml, apart from what they bring themselves.
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "apprise": ("apprise",),
    "bot": ("telegram",),
    "ebpf": ("numpy", "pyroute2"),
    "ml": ("numpy", "torch", "torch_geometric", "shap", "numba"),
    "pay": ("alembic", "base58", "pytoniq_core", "sqlalchemy"),
    "postgres": ("psycopg",),
    "report": ("jinja2", "matplotlib"),
}


def missing(extra: str) -> tuple[str, ...]:
    """Name the packages of an extra that are not installed; imports none of them."""
    return tuple(name for name in EXTRAS[extra] if find_spec(name) is None)


def require(extra: str) -> None:
    """Make sure that an extra is installed, before its packages are imported.

    Raises UnsupportedError `extras.missing`, whose fix is the command that installs it.
    """
    absent = missing(extra)
    if absent:
        raise UnsupportedError(
            "extras.missing",
            f"This needs the extra '{extra}', which is not installed.",
            reason=f"Python does not find {', '.join(absent)}.",
            fix=f"pip install 'x0tta[{extra}]'",
            context={"extra": extra, "missing": list(absent)},
        )
