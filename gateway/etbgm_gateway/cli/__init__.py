"""The `etbgm` command."""

from etbgm_gateway.cli.app import main

__all__ = ["main"]
