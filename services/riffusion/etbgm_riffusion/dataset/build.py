"""Builds a data set from a folder of music and its manifest of rights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from etbgm_kit.artifacts.revision import revision_of
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.dataset import audio
from etbgm_riffusion.dataset.assemble import Plan, assemble
from etbgm_riffusion.dataset.captions import read_template
from etbgm_riffusion.dataset.clips import ClipWriter
from etbgm_riffusion.dataset.emotions import Profiles, stated
from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.manifest import MANIFEST, entries_of, read_manifest
from etbgm_riffusion.dataset.measure import Measurer
from etbgm_riffusion.dataset.report import write_report
from etbgm_riffusion.dataset.types import Dataset, DatasetError, SourceRecord
from etbgm_riffusion.diffusion import prompts

OnProgress = Callable[[str, float], None]
"""Called with the source in progress and the seconds of sound read since the last call; may raise."""


@dataclass(frozen=True)
class BuildSettings:
    """How a folder becomes a data set.

    `manifest` defaults to manifest.csv in the folder, `captions` and `prompts_file` to the package's
    tables. `validation_share` in [0, 0.9] of the pieces is held out; `previews` clips can be played in
    the report.
    """

    manifest: Path | None = None
    captions: Path | None = None
    prompts_file: Path | None = None
    stereo: bool = True
    validation_share: float = 0.1
    previews: int = 24


@dataclass(frozen=True)
class Built:
    """A finished data set, and the files that could not be read, or not to their end."""

    dataset: Dataset
    faults: tuple[str, ...]


def build(
    root: Path, out: Path, settings: BuildSettings, composer: ComposerEngine, on_progress: OnProgress
) -> Built:
    """Builds, or continues to build, the data set `out` from the music in the folder `root`; blocks.

    The rights of all sources are checked before anything is decoded. `composer` must be loaded; it is
    used if an emotion has to be guessed. The same files and settings give the same data set.

    Raises DatasetError: BadManifest, RightsMissing, BadTemplate, or if there is nothing to build from.
    """
    sources = audio.sources_in(root)
    if not sources:
        raise DatasetError(f"{root} contains no audio files")
    entries = entries_of(read_manifest(settings.manifest or root / MANIFEST), sources)
    folder = DatasetFolder(out)
    revision = revision_of("etbgm_riffusion.dataset.measure", facts=settings.stereo)
    measurer = Measurer(folder, ClipWriter(settings.stereo), revision)
    profiles = Profiles(composer, out / "records" / "profiles.json")
    plan = Plan(
        entries=entries,
        guess=profiles.guess,
        template=read_template(settings.captions),
        prompts=prompts.load(settings.prompts_file),
        validation_share=settings.validation_share,
        made_by="etbgm-riffusion dataset build",
        settings={
            "stereo": settings.stereo,
            "validation_share": settings.validation_share,
            "revision": revision,
        },
    )
    guessed = {source for source in sources if not stated(source, entries[source])}
    records, faults = _measured(measurer, root, sources, guessed, on_progress)
    dataset = assemble(folder, records, plan)
    write_report(folder, settings.previews)
    return Built(dataset, tuple(faults))


def _measured(
    measurer: Measurer, root: Path, sources: list[str], guessed: set[str], on_progress: OnProgress
) -> tuple[list[SourceRecord], list[str]]:
    """Returns the records of what can be read, and what cannot."""
    records: list[SourceRecord] = []
    faults: list[str] = []
    for source in sources:
        try:
            record = measurer.measure(root, source, source in guessed, partial(on_progress, source))
        except audio.Unreadable as error:
            faults.append(str(error))
            continue
        if record.fault:
            faults.append(f"{source} could be read only up to {record.duration_s:.1f} s: {record.fault}")
        records.append(record)
    return records, faults
