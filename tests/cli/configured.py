"""The command line of x0tta with one more section of the configuration, which has secrets.

Run as a script: it differs from the installed `x0tta` by nothing but that section.
"""

from __future__ import annotations

import sys

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Channel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Who is told.")
    token: SecretStr | None = Field(None, description="What opens the channel.")


class TellSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: SecretStr | None = Field(None, description="What opens the door.")
    channels: list[Channel] = Field([], description="All who are told.")


def main() -> int:
    sys.modules["configured"] = sys.modules[__name__]
    from x0tta_cli.__main__ import main as start
    from x0tta_cli.terminal.groups import GROUPS, Group

    GROUPS["tell"] = Group(
        "tell",
        "Tell somebody.",
        "configured",
        "x0tta tell",
        settings="configured:TellSettings",
    )
    sys.argv[0] = "x0tta"
    return start()


if __name__ == "__main__":
    sys.exit(main())
