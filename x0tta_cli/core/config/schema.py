"""JSON Schema of the configuration file, for editors that complete and check TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from x0tta_cli.core.config.layers import PROFILES

if TYPE_CHECKING:
    from pydantic import BaseModel

# The draft that editors know best (https://taplo.tamasfe.dev/configuration/developing-schemas.html).
DIALECT = "http://json-schema.org/draft-07/schema#"
IDENTIFIER = "urn:x0tta:schema:configuration"
SECTIONS, SECRET = "#/definitions/sections", "#/definitions/secret"
DURATION = r"^\s*([0-9]+(\.[0-9]+)?(ms|[wdhms]))+\s*$"

Schema = dict[str, Any]


def schema(models: Mapping[str, type[BaseModel]]) -> Schema:
    """Describe a file with these sections, and profiles of them.

    Nothing is required: what one file lacks another layer may have.
    """
    from pydantic.json_schema import models_json_schema

    references, within = models_json_schema(
        [(model, "validation") for model in models.values()],
        ref_template="#/definitions/{model}",
    )
    definitions = {name: _fitted(part) for name, part in within.get("$defs", {}).items()}
    sections = {name: references[model, "validation"] for name, model in models.items()}
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": "The configuration of x0tta",
        "type": "object",
        "properties": {
            **sections,
            PROFILES: {
                "description": "Each profile lies over the sections with --profile NAME.",
                "type": "object",
                "additionalProperties": {"$ref": SECTIONS},
            },
        },
        "additionalProperties": False,
        "definitions": {
            **definitions,
            "sections": {
                "type": "object",
                "properties": sections,
                "additionalProperties": False,
            },
            "secret": _secret(),
        },
    }


def _secret() -> Schema:
    named = {
        "env": "Name of an environment variable.",
        "file": "File that only its owner may read; relative to this one.",
        "credential": "Name of a credential that systemd passes (LoadCredential=).",
    }
    return {
        "description": "Where a secret is; never the secret itself.",
        "oneOf": [
            {
                "type": "object",
                "properties": {kind: {"type": "string", "description": meaning}},
                "required": [kind],
                "additionalProperties": False,
            }
            for kind, meaning in named.items()
        ],
    }


def _fitted(part: Any) -> Any:
    """Turn what pydantic says of a model into what a TOML file of x0tta may hold."""
    if isinstance(part, list):
        return [_fitted(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "password":
        return {**_said(part), "$ref": SECRET}
    if part.get("format") == "duration":
        return {**_said(part), "type": "string", "pattern": DURATION}
    fitted = {key: _fitted(item) for key, item in part.items() if key not in {"required", "title"}}
    if "properties" in part:
        # The names of keys are no words of the schema.
        fitted["properties"] = {name: _fitted(item) for name, item in part["properties"].items()}
        fitted.setdefault("additionalProperties", False)
    return _without_null(fitted)


def _said(part: Schema) -> Schema:
    return {key: part[key] for key in ("description",) if key in part}


def _without_null(part: Schema) -> Schema:
    """Leave out null, for which TOML has no word: what is not set is not written."""
    if part.get("default", ...) is None:
        del part["default"]
    if "anyOf" not in part:
        return part
    choices = [choice for choice in part.pop("anyOf") if choice != {"type": "null"}]
    return part | (choices[0] if len(choices) == 1 else {"anyOf": choices})
