"""The shipped rules for Prometheus, and the routing of their alerts, from one typed source."""

from __future__ import annotations
