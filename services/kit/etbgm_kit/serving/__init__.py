"""Startup, shutdown, calls, errors, logs and metrics of every server."""
