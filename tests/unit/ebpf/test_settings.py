"""What holds where nothing is set."""

from __future__ import annotations

from x0tta_cli.ebpf.defaults import DEFAULTS, Settings
from x0tta_cli.ebpf.settings import EbpfSettings


def test_the_defaults_without_a_section_are_those_of_an_empty_one():
    assert Settings(**dict(EbpfSettings())) == DEFAULTS
