"""Converts sound to mel spectrogram images that Riffusion reads and writes, and back."""
