"""Telemetry out of Prometheus: expressions become features, series become components.

`reader.read_range` is the way in, `queries` has what it wants to know. Nothing is loaded from here.
"""
