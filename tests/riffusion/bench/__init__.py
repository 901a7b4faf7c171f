"""Measures the composer's music: `python -m tests.riffusion.bench` (`make bench-music`)."""
