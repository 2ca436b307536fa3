"""Providers that come in the box, one file per vendor."""
