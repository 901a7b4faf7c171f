"""Start, stop, calls, errors, logs and metrics of every server."""
