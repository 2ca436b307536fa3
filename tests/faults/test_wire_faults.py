"""Scripts as data: text says them, and a seed gives them again."""

from __future__ import annotations

import random

import pytest
from wire_faults import Fault, Kind, Script, cut, random_cuts, random_scripts, read_script


def test_a_script_is_what_its_text_says() -> None:
    assert read_script("812") == cut(812)
    assert read_script("300:slice=1, <40:rst") == Script(
        (Fault(300, Kind.SLICE, 1.0), Fault(40, Kind.RESET, is_on_request=True))
    )
    assert read_script("7:hole") == Script((Fault(7, Kind.BLACK_HOLE, 2.0),))


@pytest.mark.parametrize("text", ["", "x", "-1", "7:", "7:bang", "7:slice=", "7 rst", "<", "7:rst;8"])
def test_what_is_no_script_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a fault is like"):
        read_script(text)


def test_each_script_can_be_said_and_read_again() -> None:
    for script in random_scripts(random.Random(1), 500, 5000):
        assert read_script(str(script)) == script


def test_each_side_has_its_own_faults_in_order() -> None:
    script = read_script("9:rst,5:delay=1,<3:rst")
    assert [fault.at for fault in script.side(is_on_request=False)] == [5, 9]
    assert [fault.at for fault in script.side(is_on_request=True)] == [3]


@pytest.mark.parametrize("make", [random_cuts, random_scripts])
def test_a_seed_gives_the_same_scripts_again(make: object) -> None:
    assert callable(make)
    first, again, other = (make(random.Random(seed), 5, 5000) for seed in (1, 1, 2))
    assert first == again != other
    assert 1 <= len(first) <= 5


def test_random_scripts_know_every_kind() -> None:
    faults = [fault for script in random_scripts(random.Random(3), 2000, 5000) for fault in script.faults]
    assert {fault.kind for fault in faults} == set(Kind)
    assert {fault.is_on_request for fault in faults} == {True, False}
