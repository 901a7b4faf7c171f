"""The files of a data set.

DATASET/dataset.json                   how it was made, sources and their rights
DATASET/train/, validation/            metadata.jsonl and images, as Hugging Face's `imagefolder` reads
DATASET/index.html, contact-sheet.png, sounds/    to look through it
DATASET/duplicates/                    clips that were left out because they sound like another one
DATASET/records/                       what was measured in each source; a later build starts from it
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from etbgm_kit.artifacts.locks import locked
from etbgm_riffusion.dataset.types import (
    SPLITS,
    Clip,
    ClipFacts,
    Dataset,
    DatasetError,
    SourceRecord,
    Split,
)

ROWS = "metadata.jsonl"
DUPLICATES = "duplicates"
_DATASET, _RECORDS = "dataset.json", "records"


class DatasetFolder:
    """A data set at `path`, finished or not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Creates the folder, and keeps other processes from writing to it inside the context.

        Raises DatasetError if one does, or if the folder has other contents.
        """
        records = self.path / _RECORDS
        if self.path.is_dir() and any(self.path.iterdir()) and not records.is_dir():
            raise DatasetError(f"{self.path} is not empty, and no data set: choose another folder")
        records.mkdir(parents=True, exist_ok=True)
        with locked(records / "lock") as is_held:
            if not is_held:
                raise DatasetError(f"another process is writing to {self.path}")
            yield

    def dataset(self) -> Dataset:
        """Returns dataset.json. Raises DatasetError if it is missing or broken."""
        try:
            return Dataset.model_validate_json((self.path / _DATASET).read_bytes())
        except FileNotFoundError:
            raise DatasetError(f"{self.path} is no finished data set: it has no {_DATASET}") from None
        except ValidationError as error:
            raise DatasetError(f"{self.path / _DATASET} is broken: {error.errors()[0]['msg']}") from None

    def rows(self, split: Split) -> list[Clip]:
        """Returns the clips of a split in order. Raises DatasetError."""
        path = self.path / split / ROWS
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            raise DatasetError(f"{path} is missing") from None
        rows = []
        for number, line in enumerate(lines, 1):
            try:
                rows.append(Clip.model_validate_json(line))
            except ValidationError as error:
                first = error.errors(include_input=False)[0]
                where = ".".join(map(str, first["loc"]))
                raise DatasetError(f"{path}, line {number}: {where}: {first['msg']}") from None
        return rows

    def image(self, split: Split, clip: Clip) -> Path:
        """Returns the path of a clip's image; it may be missing. Raises DatasetError if it is outside."""
        if Path(clip.file_name).name != clip.file_name:
            raise DatasetError(f"{clip.file_name} in {split}/{ROWS} is no file name")
        return self.path / split / clip.file_name

    def write(self, dataset: Dataset, rows: dict[Split, list[Clip]]) -> None:
        """Writes the rows of both splits, then dataset.json, each at once."""
        for split in SPLITS:
            lines = "".join(f"{clip.model_dump_json(exclude_none=True)}\n" for clip in rows[split])
            _replace(self.path / split / ROWS, lines)
        _replace(self.path / _DATASET, dataset.model_dump_json(indent=1) + "\n")

    def record(self, source: str, sha256: str, settings: str) -> SourceRecord | None:
        """Returns the record of a source, if it is of this file and settings and its images are there."""
        try:
            record = SourceRecord.model_validate_json(self._record_path(source).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        fits = (record.source, record.sha256, record.settings) == (source, sha256, settings)
        return record if fits and all(self.place_of(clip) for clip in record.clips) else None

    def write_record(self, record: SourceRecord) -> None:
        """Stores what was measured in a source; its images must be complete."""
        _replace(self._record_path(record.source), record.model_dump_json())

    def place_of(self, clip: ClipFacts) -> Path | None:
        """Returns where the image of a clip is; None if it is missing."""
        paths = (self.path / folder / f"{clip.name}.png" for folder in (*SPLITS, DUPLICATES))
        return next((path for path in paths if path.is_file()), None)

    def move(self, clip: ClipFacts, folder: str) -> None:
        """Moves the image of a clip to a split's folder or to DUPLICATES."""
        place, wanted = self.place_of(clip), self.path / folder / f"{clip.name}.png"
        if place and place != wanted:
            wanted.parent.mkdir(parents=True, exist_ok=True)
            place.replace(wanted)

    def clear(self, name: str) -> None:
        """Removes the image of a clip wherever it is."""
        for folder in (*SPLITS, DUPLICATES):
            (self.path / folder / f"{name}.png").unlink(missing_ok=True)

    def remove_others(self, names: set[str]) -> None:
        """Removes images that belong to none of `names`, and what killed processes left unfinished."""
        for path in self._images():
            if path.stem not in names:
                path.unlink()
        for folder in (*SPLITS, _RECORDS):
            for path in (self.path / folder).glob(".*.part"):
                path.unlink()

    def _images(self) -> Iterator[Path]:
        for folder in (*SPLITS, DUPLICATES):
            yield from sorted((self.path / folder).glob("*.png"))

    def _record_path(self, source: str) -> Path:
        return self.path / _RECORDS / f"{short_name(source)}.json"


def short_name(source: str) -> str:
    """Returns a file name for a source: its own letters and digits, and a hash that keeps it apart."""
    stem = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in Path(source).stem)
    return f"{stem[:40].strip('-')}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
