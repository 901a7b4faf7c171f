"""Composes a score for an emotion timeline and renders it with a SoundFont."""
