"""The page's colours, each for light and for dark, under one name in CSS and in figures.

Figures are drawn once in stand-in colours, which `svg.py` turns into CSS variables: the reader's
colour scheme then decides, without a script. Contrasts hold WCAG 2.2 AA (1.4.3, 1.4.11) in both.
"""

from __future__ import annotations

from typing import NamedTuple


class Shade(NamedTuple):
    """One colour in the light and in the dark scheme."""

    light: str
    dark: str


PALETTE = {
    "paper": Shade("#ffffff", "#14171c"),
    "surface": Shade("#f6f7f9", "#1b1f26"),
    "ink": Shade("#1b1f26", "#e7eaef"),
    "muted": Shade("#586170", "#a2abb9"),
    "rule": Shade("#dce0e6", "#333a45"),
    "edge": Shade("#8b95a5", "#6d7788"),
    "band": Shade("#dbe7e1", "#22362f"),
    "calm": Shade("#3f7d63", "#6dbb98"),
    "blame": Shade("#b3360b", "#ff9466"),
    "relief": Shade("#22648f", "#6fb4e2"),
    "truth": Shade("#6633b9", "#bd9cff"),
    "good": Shade("#146c43", "#62cc98"),
    "bad": Shade("#b42318", "#ff8b7e"),
    "unsure": Shade("#855100", "#edb654"),
    "heat0": Shade("#f1f3f6", "#222831"),
    "heat1": Shade("#fdeadb", "#3a2c26"),
    "heat2": Shade("#fbcfae", "#573626"),
    "heat3": Shade("#f5a878", "#7a4222"),
    "heat4": Shade("#e97f45", "#a04f1c"),
    "heat5": Shade("#bd440f", "#e98547"),
    "heat6": Shade("#8a2c07", "#ffb98a"),
    "on_heat0": Shade("#1b1f26", "#e7eaef"),
    "on_heat1": Shade("#1b1f26", "#e7eaef"),
    "on_heat2": Shade("#1b1f26", "#ffffff"),
    "on_heat3": Shade("#1b1f26", "#ffffff"),
    "on_heat4": Shade("#1b1f26", "#ffffff"),
    "on_heat5": Shade("#ffffff", "#14171c"),
    "on_heat6": Shade("#ffffff", "#14171c"),
}

STAND_IN_BASE = 0xAB0000


def stand_in(name: str) -> str:
    """Give the colour that stands for a palette entry while a figure is drawn."""
    return f"#{STAND_IN_BASE + list(PALETTE).index(name):06x}"


def variable(name: str) -> str:
    """Give the CSS expression of a palette entry."""
    return f"var(--{name.replace('_', '-')})"


def css_variables(scheme: int) -> str:
    """Declare all colours of one scheme: 0 light, 1 dark."""
    return " ".join(
        f"--{name.replace('_', '-')}: {shade[scheme]};" for name, shade in PALETTE.items()
    )
