"""Measures what many can ask of the gateway at once; see `make bench-gateway`."""
