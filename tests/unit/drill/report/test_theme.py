from __future__ import annotations

import re

import pytest

from x0tta_cli.drill.report.theme import HEAT_STEPS, heat_step
from x0tta_cli.pages.palette import PALETTE, css_variables, stand_in

TEXT_CONTRAST = 4.5
GRAPHIC_CONTRAST = 3.0
SCHEMES = {"light": 0, "dark": 1}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str, scheme: int) -> float:
    light, dark = sorted(
        (luminance(PALETTE[name][scheme]) for name in (first, second)), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize(
    "name", ["ink", "muted", "blame", "relief", "truth", "good", "bad", "unsure"]
)
def test_text_can_be_read(name, scheme):
    assert contrast(name, "paper", scheme) >= TEXT_CONTRAST


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("step", range(HEAT_STEPS))
def test_names_can_be_read_on_every_heat(step, scheme):
    assert contrast(f"on_heat{step}", f"heat{step}", scheme) >= TEXT_CONTRAST


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize(
    ("mark", "ground"),
    [
        ("edge", "paper"),
        ("calm", "band"),
        ("ink", "band"),
        ("blame", "band"),
        ("truth", "paper"),
        ("blame", "heat0"),
    ],
)
def test_marks_can_be_seen(mark, ground, scheme):
    assert contrast(mark, ground, scheme) >= GRAPHIC_CONTRAST


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_more_heat_stands_out_more(scheme):
    contrasts = [contrast(f"heat{step}", "paper", scheme) for step in range(HEAT_STEPS)]
    assert contrasts == sorted(contrasts)


def test_heat_steps_span_the_scores():
    scores = (0.0, 0.019, 0.02, 0.5, 1.0, 1.7, -3.0, float("nan"))
    assert [heat_step(score) for score in scores] == [0, 0, 1, 4, 6, 6, 0, 0]


def test_every_colour_has_a_stand_in_and_a_variable_of_its_own():
    assert len({stand_in(name) for name in PALETTE}) == len(PALETTE)
    for scheme in SCHEMES.values():
        assert len(re.findall(r"--[a-z0-9-]+: #[0-9a-f]{6};", css_variables(scheme))) == len(
            PALETTE
        )
