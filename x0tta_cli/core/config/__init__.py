"""The configuration: layers of TOML files and the environment, typed by each capability's model.

    option > environment (X0TTA_DRILL__SEED) > --config or X0TTA_CONFIG > user file
           > /etc/x0tta/config.toml > default

Within a file, `[profiles.NAME.section]` lies over `[section]` where the profile is chosen. A file
in the current folder is never read: it would be an attack on a tool that runs as root.
Nothing is read before a section is asked for.
"""

from __future__ import annotations

from x0tta_cli.core.config.configuration import Configuration, Origin, load

__all__ = ["Configuration", "Origin", "load"]
