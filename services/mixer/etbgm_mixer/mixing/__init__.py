"""Mixes speech and music."""
