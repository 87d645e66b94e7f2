from __future__ import annotations

from dataclasses import replace
from importlib import metadata

import pytest
from pydantic import BaseModel, ConfigDict

from x0tta_cli.core import config, extras
from x0tta_cli.core.doctor import installation
from x0tta_cli.core.notices import Severity


@pytest.mark.parametrize(
    ("version", "wanted", "expected"),
    [
        ("2.13.0+cpu", "==2.13.0", True),
        ("2.13", "==2.13.0", True),
        ("2.13.1", "==2.13.0", False),
        ("0.29.2", "<0.30,>=0.29", True),
        ("0.30.0", "<0.30,>=0.29", False),
        ("0.28.9", ">=0.29, <0.30", False),
        ("0.51.0", ">=0.51,<0.52", True),
        ("10.0", ">=9.1", True),
        ("1!2.0", "", True),
        ("3.0rc1", ">=3", True),
        ("3.1", "!=3.1", False),
        ("3.1", "<=3.1,>3.0", True),
    ],
)
def test_versions_are_compared_as_numbers(version, wanted, expected):
    assert installation.satisfies(version, wanted) is expected


def test_what_is_declared_is_read_from_the_installed_metadata():
    base, ml = (dict(installation.declared(extra)) for extra in (None, "ml"))
    assert set(base) >= {"typer", "httpx", "pydantic"}
    assert ml["torch"] == "==2.13.0"
    assert "torch" not in base


def test_an_installation_as_it_was_made_is_well(surroundings):
    assert installation.look_at_base(surroundings).findings == ()


def test_a_package_in_another_version_is_a_warning(surroundings, monkeypatch, codes):
    monkeypatch.setattr(metadata, "version", lambda name: "0.1" if name == "httpx" else "99")
    monkeypatch.setattr(
        metadata, "requires", lambda _: ["httpx<0.29,>=0.28", "rich>=14", "torch; extra == 'ml'"]
    )
    observed = installation.look_at_base(surroundings)
    assert codes(observed) == [("doctor.wrong_version", "httpx")]
    assert observed.findings[0].severity is Severity.WARNING
    assert "pip install 'x0tta' 'httpx<0.29,>=0.28'" in observed.findings[0].fix


def test_an_extra_that_is_not_there_is_a_note_and_half_of_one_a_warning(
    surroundings, monkeypatch, codes
):
    monkeypatch.setattr(extras, "EXTRAS", {"ml": ("nowhere_at_all", "nor_here")})
    observed = installation.look_at_extra("ml", surroundings)
    assert codes(observed) == [("doctor.extra_missing", "ml")]
    assert observed.findings[0].severity is Severity.INFO
    assert observed.findings[0].fix == "pip install 'x0tta[ml]'"
    monkeypatch.setattr(extras, "EXTRAS", {"ml": ("nowhere_at_all", "json")})
    observed = installation.look_at_extra("ml", surroundings)
    assert codes(observed) == [("doctor.extra_incomplete", "nowhere_at_all")]
    assert observed.findings[0].severity is Severity.WARNING


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    rate: float = 0.5


def test_everything_that_is_wrong_with_the_configuration_is_found(surroundings, codes):
    environ = {"X0TTA_SERVICE__SEED": "x", "X0TTA_SERVICE__RATE": "y", "X0TTA_SERVCE__SEED": "1"}
    wrong = replace(
        surroundings, configuration=config.load(environ=environ), models={"service": Settings}
    )
    observed = installation.look_at_configuration(wrong)
    found = codes(observed)
    assert {subject for code, subject in found if code == "config.bad_value"} == {
        "service.seed",
        "service.rate",
    }
    assert len(found) == 3
    assert all(finding.fix for finding in observed.findings)
    assert installation.look_at_configuration(surroundings).findings == ()
