"""The schema takes what x0tta takes, and refuses what it refuses."""

from __future__ import annotations

import re
import tomllib

import pytest
from fakes.secrets_used import plant

from x0tta_cli.core.config import load
from x0tta_cli.core.config.schema import schema
from x0tta_cli.core.config.template import template
from x0tta_cli.terminal.groups import settings_models

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
    "number": (int, float),
}  # fmt: skip
KNOWN = {
    "$schema", "$id", "title", "description", "default", "definitions", "format", "$ref", "type",
    "properties", "additionalProperties", "items", "required", "anyOf", "oneOf", "enum", "const",
    "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
}  # fmt: skip


def takes(part, value, root) -> bool:
    """As much of JSON Schema's draft 7 as our schema uses; a word that is new fails."""
    assert set(part) <= KNOWN
    if "$ref" in part:
        target = root
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return takes(target, value, root)
    checks = [
        "type" not in part or is_of(part["type"], value),
        "enum" not in part or any(same(value, choice) for choice in part["enum"]),
        "const" not in part or same(value, part["const"]),
        "anyOf" not in part or any(takes(choice, value, root) for choice in part["anyOf"]),
        "oneOf" not in part or sum(takes(choice, value, root) for choice in part["oneOf"]) == 1,
    ]
    if isinstance(value, dict):
        properties, others = part.get("properties", {}), part.get("additionalProperties", {})
        checks += [name in value for name in part.get("required", ())]
        for name, item in value.items():
            within = properties.get(name, others)
            checks.append(within is not False and takes(within or {}, item, root))
    if isinstance(value, list) and "items" in part:
        checks += [takes(part["items"], item, root) for item in value]
    if isinstance(value, str) and "pattern" in part:
        checks.append(re.search(part["pattern"], value) is not None)
    if isinstance(value, int | float):
        checks += [
            value >= part.get("minimum", value),
            value <= part.get("maximum", value),
            "exclusiveMinimum" not in part or value > part["exclusiveMinimum"],
            "exclusiveMaximum" not in part or value < part["exclusiveMaximum"],
        ]
    return all(checks)


def is_of(name, value) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def same(value, choice) -> bool:
    return value == choice and type(value) is type(choice)


def agrees(models, user_file, text) -> bool:
    """Whether schema and x0tta say the same of a file; and what they say."""
    plant(user_file, text)
    environ = {"NAME": "hunter2-hunter2"}
    by_x0tta = load(environ=environ).check(models) == []
    by_schema = takes(schema(models), tomllib.loads(text), schema(models))
    assert by_schema == by_x0tta, text
    return by_schema


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[alert]\ncount = 7\nratio = 1\nis_on = true\nname = 'x'\nwait = '1h30m'\nfolder = 'x'",
        "[alert]\nmode = 'fast'\nlevel = 'max'\nnumbers = [1]\nlabels = { a = 'b' }",
        "[alert]\ntoken = { env = 'NAME' }\nchannel = { name = 'n' }",
        "[[alert.channels]]\nname = 'n'\ntoken = { env = 'NAME' }",
        "[alert.limits]\nupper = 3",
        "[profiles.night.alert]\ncount = 7\n[profiles.day.pay]\nwallet = 'x'",
    ],
)
def test_what_is_right_is_taken(models, user_file, text):
    assert agrees(models, user_file, text)


@pytest.mark.parametrize(
    "text",
    [
        "[alret]",
        "[alert]\ncuont = 7",
        "[alert]\ncount = '7'",
        "[alert]\ncount = -1",
        "[alert]\nis_on = 1",
        "[alert]\nwait = '90'",
        "[alert]\nwait = 90",
        "[alert]\nmode = 'fats'",
        "[alert]\nlevel = 3",
        "[alert]\nnumbers = ['x']",
        "[alert]\ntoken = 'hunter2-hunter2'",
        "[alert]\ntoken = { evn = 'NAME' }",
        "[alert]\ntoken = { env = 'NAME', file = 'x' }",
        "[alert]\ntoken = {}",
        "[alert.limits]\nuper = 3",
        "[[alert.channels]]\nname = 'n'\nnmae = 'n'",
        "[profiles.night.alert]\ncount = 'x'",
        "[profiles]\nnight = 3",
        "[profiles.night.alret]",
    ],
)
def test_what_is_wrong_is_refused(models, user_file, text):
    assert not agrees(models, user_file, text)


def test_all_three_kinds_of_secrets_are_taken(models):
    described = schema(models)
    for kind in ("env", "file", "credential"):
        assert takes(described, {"alert": {"token": {kind: "x"}}}, described)


def test_nothing_is_required_for_another_layer_may_have_it(models):
    described = schema(models)
    assert takes(described, {"pay": {}, "alert": {"channel": {}}}, described)


def test_it_says_what_it_is_and_what_keys_mean(models):
    described = schema(models)
    assert described["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert described["$id"].startswith("urn:x0tta:")
    wallet = described["definitions"]["Pay"]["properties"]["wallet"]
    assert wallet["description"].startswith("Where the money goes")


def test_the_schema_of_x0tta_itself(user_file):
    models = settings_models()
    for text in (
        template(models),
        "[drill]\nseed = 7\ndata = 'x'\n[flags]\ngraphsage = false\n",
        "[flags]\ngraphsage = 'off'\n",
        "[flags]\ngraphsage = 1\n",
    ):
        assert agrees(models, user_file, text)
    for text in ("[drill]\nseed = -1\n", "[flags]\ngraphsage = 'maybe'\n", "[flags]\nx = true\n"):
        assert not agrees(models, user_file, text)
