"""Connections from the gateway to addresses that callers name."""
