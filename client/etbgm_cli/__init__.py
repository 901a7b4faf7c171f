"""The `etbgm` command."""

from etbgm_cli.app import main

__all__ = ["main"]
