"""Flow control by need: who has time to spare passes everything on at once, who has not rests between two readings."""

from __future__ import annotations

import pytest

from chatbubble.pace import LONGEST_S, Pace

MANY, FEW = 200, 20  # ten thousand a second, and a thousand


class Loop:
    """An event loop that uses a share of its processor, on a clock of its own."""

    def __init__(self) -> None:
        self.now_s = self.used_s = 0.0
        self.rests: list[float] = []
        self.pace = Pace(now=lambda: self.now_s, used=lambda: self.used_s, sleep=self.rests.append)

    def run(self, share: float, seconds: float = 2.0, *, deltas: int = MANY) -> float:
        """Read so many deltas every 20 ms, for so long; returns the last rest, 0 where there was none."""
        for _ in range(int(seconds / 0.02)):
            self.now_s += 0.02
            self.used_s += 0.02 * share
            self.rests.clear()
            self.pace.rest(deltas)
        return self.rests[0] if self.rests else 0.0


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1])
def test_with_time_to_spare_nothing_waits(share: float) -> None:
    assert Loop().run(share) == 0


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_few_deltas_do_not_wait_however_busy_the_process_is(share: float) -> None:
    assert Loop().run(share, deltas=FEW) == 0


def test_the_more_deltas_the_longer() -> None:
    rests = [Loop().run(1.0, deltas=deltas) for deltas in (50, 75, 90, 100, 1000)]
    assert rests == sorted(rests)
    assert 0 == rests[0] < rests[1] < rests[2]
    assert rests[3:] == pytest.approx([LONGEST_S] * 2, rel=0.01)


def test_the_busier_the_longer_up_to_a_bound() -> None:
    rests = [Loop().run(share) for share in (0.2, 0.3, 0.45, 0.6, 0.8, 1.0)]
    assert rests == sorted(rests)
    assert 0 < rests[0] < rests[2] < LONGEST_S
    assert rests[3:] == pytest.approx([LONGEST_S] * 3, rel=0.01)


def test_one_long_request_does_not_make_everybody_wait_for_long() -> None:
    loop = Loop()
    loop.run(0.05)
    assert 0 < loop.run(1.0, 0.12) <= LONGEST_S / 2
    assert loop.run(0.05) == 0


def test_after_the_rush_nothing_waits_again() -> None:
    loop = Loop()
    assert loop.run(1.0) == pytest.approx(LONGEST_S, rel=0.01)
    assert loop.run(0.05) == 0
