"""The licence manifest: all that made a result, and a warning where it may not be sold."""

from etbgm.media.v1.media_pb2 import Engine, Ingredient
from etbgm_kit.converters import engine_to_pb
from etbgm_kit.models import catalogue, licences
from etbgm_kit.types import EngineInfo

FREE = Ingredient(name="vad", source="package p", licence="MIT", commercial_use=True, note="Anything.")
FORBIDDEN = Ingredient(name="net", licence="CC-BY-NC-4.0", commercial_use=False, note="No sale.")
UNTOLD = Ingredient(name="mine.sf2", licence="unknown")


def test_the_manifest_names_each_ingredient_once_and_who_used_it() -> None:
    engines = [Engine(name="one", ingredients=[FREE]), Engine(name="two", ingredients=[FREE, UNTOLD])]
    assert licences.manifest(engines) == {
        "commercial_use": "unknown",
        "ingredients": [
            {
                "name": "vad",
                "source": "package p",
                "licence": "MIT",
                "commercial_use": "yes",
                "permitted": "Anything.",
                "engines": "one, two",
            },
            {
                "name": "mine.sf2",
                "source": "",
                "licence": "unknown",
                "commercial_use": "unknown",
                "permitted": "",
                "engines": "two",
            },
        ],
    }


def test_the_strictest_licence_decides() -> None:
    engines = [Engine(ingredients=[UNTOLD]), Engine(ingredients=[FREE, FORBIDDEN])]
    assert licences.manifest(engines)["commercial_use"] == "no"
    assert licences.manifest([Engine(ingredients=[FREE])])["commercial_use"] == "yes"
    assert licences.manifest([]) == {"commercial_use": "yes", "ingredients": []}


def test_what_may_not_be_sold_is_warned_of() -> None:
    engines = [Engine(ingredients=[FREE, FORBIDDEN]), Engine(ingredients=[FORBIDDEN, UNTOLD])]
    assert licences.warnings(engines) == [
        "net (licence: CC-BY-NC-4.0) does not permit commercial use of this result. No sale.",
        "mine.sf2 (licence: unknown) may not permit commercial use of this result: its terms are unknown.",
    ]


def test_the_catalogue_s_word_reaches_the_user() -> None:
    info = EngineInfo("demucs", "1", "cpu", (catalogue.ingredient("htdemucs"),))
    (warning,) = licences.warnings([engine_to_pb(info)])
    assert warning.startswith("htdemucs (licence: scientific purposes only) does not permit commercial use")
