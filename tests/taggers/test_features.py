import pytest

from glassjet.errors import InputError
from glassjet.observables.registry import SETS
from glassjet.taggers.features import KINEMATICS, NOISE, parse


def test_a_table_with_noise_has_the_noise_last() -> None:
    features = parse("noise+mbns")
    assert features.table == (*SETS["mbns"], *NOISE)
    assert features.inputs == {"table"}
    assert features.observables == SETS["mbns"]


def test_noise_joins_the_constituents_only_where_they_are_alone() -> None:
    assert parse("kinematics+noise").constituent_names == (*KINEMATICS, *NOISE)
    assert parse("kinematics+noise").table == ()
    assert parse("kinematics+xaug29+noise").constituent_names == KINEMATICS
    assert parse("kinematics+xaug29+noise").table[-5:] == NOISE


def test_an_image_with_noise_gets_a_table_of_noise() -> None:
    assert parse("image+noise").table == NOISE
    assert parse("image+noise").inputs == {"image", "table"}


def test_a_variable_of_two_sets_stands_once() -> None:
    table = parse("xaug29+mbns").table
    assert len(table) == len(set(table)) == len(set(SETS["xaug29"]) | set(SETS["mbns"]))


def test_an_image_needs_the_subjets() -> None:
    assert {"subjet1_eta", "subjet2_phi", "has_two_subjets"} <= set(parse("image").observables)


def test_only_keeps_the_order_of_the_table() -> None:
    assert parse("mbns").only(["mass", "tau1_b05_kt"]).table == ("tau1_b05_kt", "mass")
    with pytest.raises(InputError, match=r"no column of mbns 'mas'.*mass"):
        parse("mbns").only(["mas"])


@pytest.mark.parametrize(
    ("features", "message"),
    [("xaug30", "xaug29"), ("mbns+mbns", "twice"), ("noise", "noise alone"), ("", "there is no feature set ''")],
)
def test_bad_words_are_refused(features: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(features)
