"""The `[flags]` section of the configuration: the table of all flags that there are.

A capability adds its flag as a field here: name, type, default and meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from x0tta_cli.core.config.typed import WORDS


def read_switch(value: Any) -> bool:
    """Read all that operators write for on and off: `true`, 1, "1", "yes", "ON"; ValueError."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, int | str) else ""
    if word in WORDS:
        return WORDS[word]
    raise ValueError("It should be on (true, yes, 1) or off (false, no, 0).")


# For editors; in an editor's eyes upper case is wrong, though we take it.
Written = bool | Literal[0, 1, "0", "1", "false", "true", "no", "yes", "off", "on"]
Switch = Annotated[bool, BeforeValidator(read_switch, json_schema_input_type=Written)]


class FlagSettings(BaseModel):
    """Every flag with its type, its default and what it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ebpf: Switch = Field(True, description="All of x0tta ebpf.")
    alert: Switch = Field(True, description="All of x0tta alert.")
    pay: Switch = Field(True, description="All of x0tta pay.")
    graphsage: Switch = Field(
        True, description="The GraphSAGE detector, and with it x0tta drill run."
    )
