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
from etbgm_riffusion.dataset.layout import Layout
from etbgm_riffusion.dataset.manifest import entries_of, read_manifest, unused
from etbgm_riffusion.dataset.measure import Measurer
from etbgm_riffusion.dataset.report import write_report
from etbgm_riffusion.dataset.types import Dataset, DatasetError, SourceRecord
from etbgm_riffusion.diffusion import prompts

OnProgress = Callable[[str, float], None]
"""Called with the source in progress and the seconds of sound read since the last call; may raise."""


@dataclass(frozen=True)
class Music:
    """A folder of audio files, and the manifest of the rights in them."""

    root: Path
    manifest: Path

    def sources(self, out: Path) -> list[str]:
        """Returns the sources, without those in the data set `out`. Raises DatasetError if there are none."""
        if not self.root.is_dir():
            raise DatasetError(f"{self.root} is no folder")
        sources = audio.sources_in(self.root, out)
        if not sources:
            raise DatasetError(f"{self.root} contains no audio files")
        return sources


@dataclass(frozen=True)
class Built:
    """A finished data set, and what the user should know.

    `faults` names lines of the manifest that apply to no file, and files that could not be read, or not to
    their end.
    """

    dataset: Dataset
    faults: tuple[str, ...]


def build(
    music: Music, out: Path, layout: Layout, composer: ComposerEngine, on_progress: OnProgress
) -> Built:
    """Builds, or continues to build, the data set `out`; blocks.

    The rights of all sources are checked before anything is decoded. `composer` must be loaded; it is
    used if an emotion has to be guessed. The same files and settings give the same data set.

    Raises DatasetError: BadManifest, RightsMissing, or if `out` is in use or something else, or nothing can
    be built; BrokenTable.
    """
    sources = music.sources(out)
    lines = read_manifest(music.manifest)
    entries = entries_of(lines, sources)
    folder = DatasetFolder(out)
    revision = revision_of("etbgm_riffusion.dataset.measure", facts=layout.stereo)
    plan = Plan(
        entries=entries,
        guess=Profiles(composer, out / "records" / "profiles.json").guess,
        template=read_template(layout.captions),
        prompts=prompts.load(layout.prompts_file),
        validation_share=layout.validation_share,
        made_by="etbgm-riffusion dataset build",
        settings={
            "stereo": layout.stereo,
            "validation_share": layout.validation_share,
            "revision": revision,
        },
    )
    guessed = {source for source in sources if not stated(source, entries[source])}
    with folder.claimed():
        measurer = Measurer(folder, ClipWriter(layout.stereo), revision)
        records, faults = _measured(measurer, music.root, sources, guessed, on_progress)
        if not any(record.clips for record in records):
            raise DatasetError("\n  ".join(["no source has a clip of 5.12 s that can be used:", *faults]))
        dataset = assemble(folder, records, plan)
        write_report(folder, layout.previews)
    return Built(dataset, (*unused(lines, sources, music.manifest), *faults))


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
        if not record.clips:
            faults.append(f"{source} is silent or shorter than 5.12 s")
        if record.fault:
            faults.append(f"{source} could be read only up to {record.duration_s:.1f} s: {record.fault}")
        records.append(record)
    return records, faults
