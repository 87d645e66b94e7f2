"""The first file: valid as it is, and with each line brought to life."""

from __future__ import annotations

import re
import tomllib

from fakes.secrets_used import TOKEN

from x0tta_cli.core.config import load
from x0tta_cli.core.config.template import template
from x0tta_cli.terminal.groups import settings_models

KEY = re.compile(r"# (\[|[a-z0-9_]+ = )")


def brought_to_life(text):
    lines = text.splitlines()
    head = lines.index("")
    return "\n".join(KEY.sub(r"\1", line) for line in lines[head:])


def test_nothing_is_set_and_nothing_is_wrong(models, user_file):
    user_file.write_text(template(models))
    assert tomllib.loads(user_file.read_text()) == {"alert": {"limits": {}}}
    assert load(environ={}).check(models) == []


def test_every_line_may_be_brought_to_life(models, user_file):
    user_file.write_text(brought_to_life(template(models)))
    configuration = load(environ={"NAME": TOKEN})
    assert configuration.check(models) == []
    alert = configuration.section("alert", models["alert"])
    assert (alert.count, alert.numbers, alert.home) == (1, (1, 2), models["alert"]().home)
    assert (alert.name, alert.wait, alert.mode) == (
        models["alert"]().name, models["alert"]().wait, models["alert"]().mode,
    )  # fmt: skip
    assert alert.token.get_secret_value() == TOKEN
    assert alert.channels[0].name == "VALUE"


def test_every_key_is_there_with_what_it_means(models):
    text = template(models)
    assert "# Where the money goes; has no default.\n# wallet = " in text
    assert "# [pay]" in text
    assert "# Where it ends.\n[alert.limits]" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_file_of_x0tta_itself(user_file):
    models = settings_models()
    user_file.write_text(template(models))
    assert load(environ={}).check(models) == []
    user_file.write_text(brought_to_life(template(models)))
    assert load(environ={"NAME": TOKEN}).check(models) == []
    written = tomllib.loads(user_file.read_text())
    for name, model in models.items():
        assert set(written[name]) == set(model.model_fields)
