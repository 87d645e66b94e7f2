"""Flags: parts of x0tta that operators switch on and off, over the OpenFeature API."""
