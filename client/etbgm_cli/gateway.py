"""Parameters that the commands for a running gateway share."""

from typing import Annotated

import typer

Gateway = Annotated[str, typer.Option(envvar="ETBGM_GATEWAY", help="Address of the gateway.")]
JobId = Annotated[str, typer.Argument(help="Job id.")]
ADDRESS = "127.0.0.1:8430"
