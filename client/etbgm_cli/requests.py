"""The requests of `etbgm run`, one per video, and the checks that precede all work."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from etbgm_cli.options import JobOptions, container_of
from etbgm_cli.output import Place, check_place
from etbgm_kit.errors import InvalidField, NotFound
from etbgm_kit.ranges import CONTAINERS
from etbgm_kit.seeds import DEFAULT_VARIANTS

SOUND_BYTES = 32 << 20
"""Estimate of the sound in a result: half a minute to a minute, depending on the number of variants."""


@dataclass(frozen=True)
class RunRequest:
    """One video of `run`, where to write the result, and which variant to choose.

    `output` is the video to write; None selects VIDEO-with-music in `directory`, which is the folder
    of the video if it is None too.
    """

    video: Path
    output: Path | None
    choose: int
    options: JobOptions
    directory: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder of the result."""
        if self.output is not None:
            return self.output.with_suffix("")
        directory = self.video.parent if self.directory is None else self.directory
        return directory / f"{self.video.stem}-with-music"

    @property
    def size_bytes(self) -> int:
        """Estimated size of the result: a copy of the video per variant and the chosen one, and sound."""
        variants = self.options.variants or DEFAULT_VARIANTS
        return (variants + 1) * self.video.stat().st_size + SOUND_BYTES

    @property
    def inputs(self) -> list[Path]:
        """The files that the run reads."""
        given = (self.video, self.options.captions, self.options.timeline)
        return [path for path in given if path is not None]

    def video_to_write(self, container: str) -> Path:
        """The video beside the folder, if the result has this container."""
        return self.output or self.folder.with_name(f"{self.folder.name}.{container}")

    def checked(self) -> "RunRequest":
        """The validated request, with the container of the output. Raises NotFound, InvalidField."""
        fields = (
            ("video", self.video),
            ("captions", self.options.captions),
            ("timeline", self.options.timeline),
        )
        for field, path in fields:
            if path is not None and not path.is_file():
                raise NotFound(f"{field}: no such file: {path}")
        if not self.video.stat().st_size:
            raise InvalidField("video", "is empty")
        variants = self.options.variants or DEFAULT_VARIANTS
        if self.choose > variants:
            raise InvalidField("choose", f"is {self.choose}, but only {variants} variants are made")
        if self.output is None:
            return self
        if os.path.isdir(self.output):  # noqa: PTH112  (Path.is_dir raises for long names)
            example = self.output / f"{self.video.stem}-with-music.mp4"
            raise InvalidField("output", f"{self.output} is a folder; name a file, for example -o {example}")
        return replace(self, options=replace(self.options, container=container_of(self.output)))

    def check_output(self, inputs: Iterable[Path]) -> None:
        """Checks that the result can be written and touches no input. Raises InvalidField, StorageFull."""
        containers = [self.options.container] if self.options.container else CONTAINERS
        check_place(Place(self.folder, tuple(map(self.video_to_write, containers))), inputs)


def requests_of(
    videos: Sequence[Path], output: Path | None, choose: int, options: JobOptions
) -> list[RunRequest]:
    """One request per video; with several videos `output` is a folder. Raises InvalidField."""
    if len(videos) == 1:
        return [RunRequest(videos[0], output, choose, options)]
    for field, path in (("captions", options.captions), ("timeline", options.timeline)):
        if path is not None:
            raise InvalidField(field, f"belongs to one video, but {len(videos)} are given")
    if output is not None and not _can_be_folder(output):
        raise InvalidField("output", f"must be a folder when there are several videos, got {output}")
    requests = [RunRequest(video, None, choose, options, output) for video in videos]
    taken: dict[Path, Path] = {}
    for request in requests:
        other = taken.setdefault(request.folder.resolve(), request.video)
        if other is not request.video:
            why = f"the results of {other} and {request.video} would both be {request.folder}"
            raise InvalidField("output", f"{why}; process them in separate calls with different -o")
    return requests


def _can_be_folder(output: Path) -> bool:
    """Whether `output` is a folder, or does not exist and does not look like a video."""
    is_like_a_video = output.suffix.lower().removeprefix(".") in CONTAINERS
    return os.path.isdir(output) or not (os.path.lexists(output) or is_like_a_video)  # noqa: PTH112
