"""docs/systems.md and docs/security.md: every module, command and test that they name is there."""

import pytest

from tests.documents import ROOT, cells, is_command, is_test, quoted

NOT_YET = "not yet"
SYSTEMS = cells("docs/systems.md", 5)
THREATS = cells("docs/security.md", 3, "## Threats")
UNTESTABLE = "none: "


@pytest.mark.parametrize("row", SYSTEMS, ids=lambda row: row[0][:60])
def test_a_part_is_there_or_said_to_be_missing(row: list[str]) -> None:
    """A row has modules and a test, and perhaps a command; or none of them and the words."""
    part, does, modules, command, test = row
    assert part and does
    if modules == NOT_YET:
        assert (command, test) == ("", "")
        return
    assert quoted(modules) and [name for name in quoted(modules) if not (ROOT / name).is_file()] == []
    assert [name for name in quoted(command) if not is_command(name)] == []
    assert quoted(test) and [name for name in quoted(test) if not is_test(name)] == []


def test_every_class_of_the_designs_has_rows() -> None:
    """By their names there."""
    named = {name.split(".")[0] for part, *_ in SYSTEMS for name in quoted(part)}
    assert named >= {
        *("UserEvent", "EventCollector", "FeatureStore", "UserBasedCF", "ItemBasedCF", "ContentBasedRecommender"),
        *("MatrixFactorization", "HybridRecommender", "RecommendationService", "ColdStartHandler"),
        *("RecommenderEvaluator", "UserBasedCollaborativeFiltering", "ItemBasedCollaborativeFiltering"),
        *("NeuralCollaborativeFiltering", "NCFTrainer", "ScalableRecommender", "FairnessAwareRecommender"),
        "RecommenderABTest",
    }
    assert len(SYSTEMS) > 80


@pytest.mark.parametrize("row", THREATS, ids=lambda row: row[0][:60])
def test_every_threat_names_its_test(row: list[str]) -> None:
    """Or says why there can be none."""
    *_, test = row
    assert test.startswith(UNTESTABLE) or (quoted(test) and [name for name in quoted(test) if not is_test(name)] == [])
