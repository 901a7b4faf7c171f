"""Reports what the licences of the weights and sounds behind a result allow."""

from collections.abc import Iterable

from etbgm.media.v1 import media_pb2
from etbgm_kit.json_value import Json

VERDICTS = {
    "no": "does not permit commercial use of this result.",
    "unknown": "may not permit commercial use of this result: its terms are unknown.",
}


def manifest(engines: Iterable[media_pb2.Engine]) -> dict[str, Json]:
    """All ingredients of a result as JSON, each once, with the engines that used it.

    `commercial_use` is "yes", "no" or "unknown", for each ingredient and for the whole result.
    """
    listed: dict[str, dict[str, str]] = {}
    for engine in engines:
        for ingredient in engine.ingredients:
            facts = listed.setdefault(ingredient.name, _facts(ingredient))
            facts["engines"] = ", ".join(filter(None, (facts.get("engines"), engine.name)))
    answers = [facts["commercial_use"] for facts in listed.values()]
    together = next((answer for answer in ("no", "unknown") if answer in answers), "yes")
    return {"commercial_use": together, "ingredients": [dict(facts) for facts in listed.values()]}


def warnings(engines: Iterable[media_pb2.Engine]) -> list[str]:
    """One sentence for each ingredient that does not, or may not, permit commercial use."""
    used = {ingredient.name: ingredient for engine in engines for ingredient in engine.ingredients}
    return [
        f"{name} (licence: {ingredient.licence}) {verdict} {ingredient.note}".strip()
        for name, ingredient in used.items()
        if (verdict := VERDICTS.get(_commercial_use(ingredient)))
    ]


def _facts(ingredient: media_pb2.Ingredient) -> dict[str, str]:
    return {
        "name": ingredient.name,
        "source": ingredient.source,
        "licence": ingredient.licence,
        "commercial_use": _commercial_use(ingredient),
        "permitted": ingredient.note,
    }


def _commercial_use(ingredient: media_pb2.Ingredient) -> str:
    if not ingredient.HasField("commercial_use"):
        return "unknown"
    return "yes" if ingredient.commercial_use else "no"
