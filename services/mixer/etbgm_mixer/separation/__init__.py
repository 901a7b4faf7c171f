"""Separates speech from music and noise."""
