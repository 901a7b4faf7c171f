"""What a data set looks like, whatever its music comes from; the options of the commands that make one."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True)
class Layout:
    """Images in stereo or mono; `validation_share` in [0, 0.9] of the pieces held out; captions; previews.

    `captions` and `prompts_file` default to the package's tables; `previews` clips can be played in the
    report.
    """

    stereo: bool = True
    validation_share: float = 0.1
    previews: int = 24
    captions: Path | None = None
    prompts_file: Path | None = None


def with_layout(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of a `Layout`, which it gets as `layout`."""
    own, options = (inspect.signature(one, eval_str=True) for one in (command, _layout_of))
    kept = [parameter for name, parameter in own.parameters.items() if name != "layout"]
    parameters = [*kept, *options.parameters.values()]

    @wraps(command)
    def run(**values: object) -> None:
        chosen = {name: values.pop(name) for name in options.parameters}
        command(layout=_layout_of(**chosen), **values)  # type: ignore[arg-type]

    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _layout_of(
    mono: Annotated[
        bool, typer.Option("--mono", help="Grey images of one channel. Default: stereo, as in production.")
    ] = False,
    validation_share: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of the pieces that is held out.")
    ] = 0.1,
    previews: Annotated[
        int, typer.Option(min=0, help="Clips that can be played in index.html; 1 s each to make.")
    ] = 24,
    captions: Annotated[
        Path | None, typer.Option(help="Template of captions (TOML). Default: the package's.")
    ] = None,
    prompts_file: Annotated[
        Path | None,
        typer.Option(
            envvar="ETBGM_PROMPTS_FILE", help="Prompts (TOML), as in production. Default: the package's."
        ),
    ] = None,
) -> Layout:
    return Layout(not mono, validation_share, previews, captions, prompts_file)
