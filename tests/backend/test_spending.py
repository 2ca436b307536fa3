"""What turns cost: put aside before the provider is asked, settled afterwards, and no provider asked without money."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from asking import await_true
from sqlalchemy import text
from turning import MakeTurns, Turns, check

from chatbubble import generation, spending
from chatbubble.budget import MICRO, Reservation, Standing, to_micro
from chatbubble.config import DEFAULT_BUDGET_MESSAGE
from chatbubble.errors import StoreUnavailable, UpstreamRefused, UpstreamTimeout, UpstreamUnavailable
from chatbubble.leases import Claim, NoLeases
from chatbubble.records import Finish, FinishReason, Prompt, PromptMessage, Question, TurnState, Usage
from chatbubble.spending import FALLBACK_MODEL, create_spending
from chatbubble.store import LedgerStore
from chatbubble.takeover import Takeover
from chatbubble.turn import StopReason
from chatbubble.workers import Workers

# A token of the prompt costs a millionth, one of the answer two.
SMALL = {"context_tokens": 500, "max_tokens": 100, "system_prompt": "", "prices": ("scripted-1=1/2",)}
PROMPT = len("hello") + 8 + 64  # what is put aside for it, in tokens
WORST = PROMPT + 2 * 100
COUNTED = Finish(usage=Usage(5, 3))


@pytest.fixture
def turns(make_turns: MakeTurns) -> Turns:
    """Turns that may cost so much that one more than any prompt fits in."""
    return make_turns(daily_budget=0.01, contact_url="mailto:help@shop.example", **SMALL)


def standing(turns: Turns) -> Standing:
    """The day, once all that has ended is settled."""
    turns.parts.spending.flush(5)
    stands: Standing = ledger(turns).standing(spending.date_in_utc())
    return stands


def ledger(turns: Turns) -> Any:
    """The store, as who keeps account."""
    assert isinstance(turns.store, LedgerStore)
    return turns.store


def leave(turns: Turns, amount: int) -> None:
    """Spend the day's money but for so many millionths."""
    spent = Reservation("earlier", spending.date_in_utc(), to_micro(0.01) - amount)
    assert ledger(turns).reserve(spent, to_micro(0.01))[0]
    ledger(turns).settle(spent, spent.amount)


def test_an_answer_costs_what_its_server_counted(turns: Turns) -> None:
    turns.run("Hi ", "there", COUNTED)
    assert (standing(turns).spent, standing(turns).reserved) == (5 + 2 * 3, 0)


def test_the_worst_case_is_put_aside_while_it_is_said(turns: Turns) -> None:
    call = turns.provider.hold()
    turning = turns.start(turns.begin())
    assert call.began.wait(5)
    assert standing(turns) == Standing(standing(turns).day, 0, WORST)
    call.finish("Hi", COUNTED)
    assert turning.get(timeout=5) is TurnState.DONE
    assert standing(turns).total == 11


def test_without_a_count_it_costs_its_bytes_and_what_was_on_its_way(turns: Turns) -> None:
    turns.run("Hi there")
    assert standing(turns).total == PROMPT + 2 * (8 + 64)


@pytest.mark.parametrize("reason", [StopReason.ABORTED, StopReason.INTERRUPTED])
def test_an_answer_that_is_ended_early_costs_what_was_said(turns: Turns, reason: StopReason) -> None:
    turns.stop_after("Hi there", reason=reason)
    assert standing(turns).total == PROMPT + 2 * (8 + 64)


def test_a_turn_that_another_process_took_over_has_cost_something_here(turns: Turns) -> None:
    call = turns.provider.hold()
    running = turns.begin()
    turning = turns.start(running)
    assert call.began.wait(5)
    running.stop(StopReason.TAKEN_OVER)
    assert turning.get(timeout=5) is TurnState.INTERRUPTED
    assert standing(turns).total == PROMPT + 2 * 64


def test_a_model_that_was_seen_thinking_costs_its_worst_case_when_stopped(turns: Turns) -> None:
    turns.stop_after("", "Hi")
    assert standing(turns).total == WORST


@pytest.mark.parametrize("fault", [UpstreamTimeout(), UpstreamUnavailable(), RuntimeError("ours")])
def test_a_provider_that_fails_may_have_cost_something(turns: Turns, fault: Exception) -> None:
    turns.run(fault)
    assert standing(turns).total == PROMPT + 2 * 64


def test_a_question_that_reached_no_model_costs_nothing(turns: Turns) -> None:
    refusal = UpstreamRefused()
    refusal.is_unpaid = True
    turns.run(refusal)
    assert standing(turns).total == 0


def test_who_stops_before_the_model_is_asked_pays_nothing(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = ledger(turns).reserve

    def slowly(*asked: Any) -> Any:
        running.stop(StopReason.ABORTED)
        answer = reserve(*asked)
        gevent.sleep(60)
        return answer

    monkeypatch.setattr(turns.store, "reserve", slowly)
    running = turns.begin()
    assert running.run() is TurnState.ABORTED
    assert standing(turns).total == 0
    assert turns.provider.calls == []


def test_a_turn_that_is_taken_over_is_paid_once_more(turns: Turns) -> None:
    killed = turns.parts.spending.open_bill(Prompt((PromptMessage("user", "hello"),)))
    assert killed.reserve()
    workers = Workers(turns.parts)
    takeover = Takeover(turns.store, turns.log, workers, NoLeases(), turns.parts.measures)
    turns.begin()
    turns.provider.script("Hi", COUNTED)
    takeover.take_over(Claim(turns.stream_id, Question("hello", "anna", "r1"), 2))
    workers.drain(5)
    assert standing(turns) == Standing(spending.date_in_utc(), 11, WORST)


def test_without_money_the_visitor_reads_so_and_no_provider_is_asked(turns: Turns) -> None:
    leave(turns, WORST - 1)
    told = check(turns.run())
    assert told.state is TurnState.DONE
    assert told.last.data["fullText"] == f"{DEFAULT_BUDGET_MESSAGE}\n\n[help@shop.example](mailto:help@shop.example)"
    assert (told.last.data["finishReason"], told.last.data["usage"]) == (FinishReason.STOP, None)
    assert turns.provider.calls == []
    assert turns.parts.measures.fallbacks == 1
    assert standing(turns).total == to_micro(0.01) - (WORST - 1)


def test_the_last_money_is_spent_to_the_last_millionth(turns: Turns) -> None:
    leave(turns, WORST)
    turns.run("Hi", Finish(usage=Usage(PROMPT, 100)))
    assert standing(turns) == Standing(standing(turns).day, to_micro(0.01), 0)
    assert turns.run().last.data["fullText"].startswith(DEFAULT_BUDGET_MESSAGE)


def test_an_answer_without_the_model_is_marked_in_the_store(turns: Turns) -> None:
    leave(turns, 0)
    turns.run()
    wanted = text("SELECT model FROM messages WHERE author = 'assistant'")
    # In the store's own thread: the account is still written there.
    models = turns.store.transact(lambda connection: connection.scalars(wanted).all())  # type: ignore[attr-defined]
    assert models == [FALLBACK_MODEL]


def test_the_next_day_has_money_again_and_the_model_hears_nothing_of_it(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(turns, 0)
    turns.run()
    monkeypatch.setattr(turns.parts.spending, "_today", lambda: "2999-12-31")
    assert turns.parts.spending.get_stats()["spentToday"] == 0
    call = turns.provider.script("Good morning", COUNTED)
    assert turns.run().last.data["fullText"] == "Good morning"
    assert [message.content for message in call.prompt.messages] == ["hello", "hello"]
    turns.parts.spending.flush(5)
    assert ledger(turns).standing("2999-12-31").spent == 11


def test_a_fallback_says_nothing_of_the_provider(turns: Turns) -> None:
    turns.run(UpstreamTimeout())
    leave(turns, 300)
    turns.run()
    assert turns.parts.measures.upstream_faults_in_a_row == 1


def test_each_level_is_warned_of_once(turns: Turns, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "chatbubble.spending")
    for used in (4_000, 1_500, 1_000, 2_000, 1_400):
        turns.run("Hi", Finish(usage=Usage(used - 2, 1)))
        standing(turns)
    turns.run()
    await_true(lambda: len(caplog.records) == 3)
    levels = [re.match(r"(\d+) % of the budget", record.getMessage()) for record in caplog.records]
    assert [level and level[1] for level in levels] == ["50", "80", "100"]
    assert "8.5" not in caplog.text
    assert "0.0085 of 0.01 spent" in caplog.text


def test_what_another_process_has_warned_of_is_not_told_again(turns: Turns, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "chatbubble.spending")
    assert ledger(turns).announce(spending.date_in_utc(), 5_000)
    turns.run("Hi", Finish(usage=Usage(8_500, 1)))
    standing(turns)
    await_true(lambda: len(caplog.records) == 1)
    assert [record.getMessage()[:2] for record in caplog.records] == ["80"]


def failing(times: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a store that is away so many times."""
    left = [None] * times

    def attempt(*given: Any) -> Any:
        if left:
            left.pop()
            raise StoreUnavailable(detail="gone")
        return call(*given)

    return attempt


def test_a_store_that_is_away_is_waited_for(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "_STORE_PAUSE_S", 0.01)
    monkeypatch.setattr(spending, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(turns.store, "reserve", failing(2, ledger(turns).reserve))
    monkeypatch.setattr(turns.store, "settle", failing(3, ledger(turns).settle))
    assert turns.run("Hi", COUNTED).state is TurnState.DONE
    assert standing(turns).total == 11


def test_a_store_that_stays_away_gives_no_money(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "_STORE_WAIT_S", 0.0)
    monkeypatch.setattr(turns.store, "reserve", failing(100, ledger(turns).reserve))
    told = turns.run()
    assert (told.state, told.last.data["code"]) == (TurnState.FAILED, "STORE_UNAVAILABLE")
    assert turns.provider.calls == []


def test_what_is_not_settled_in_time_counts_with_its_worst_case(
    turns: Turns, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(turns.store, "settle", failing(1000, ledger(turns).settle))
    turns.run("Hi", COUNTED)
    turns.parts.spending.flush(0.05)
    assert "1 answers count with the most that they may have cost" in caplog.text
    assert ledger(turns).standing(spending.date_in_utc()) == Standing(spending.date_in_utc(), 0, WORST)


def test_the_numbers_are_in_whole_units(turns: Turns) -> None:
    turns.run("Hi", COUNTED)
    standing(turns)
    stats = turns.parts.spending.get_stats()
    assert stats == {"dailyBudget": 0.01, "spentToday": 11 / MICRO, "reservedNow": 0.0}


def test_a_process_that_starts_knows_what_was_spent(turns: Turns) -> None:
    leave(turns, 100)
    again = create_spending(turns.parts.settings, turns.provider, turns.store)
    again.open()
    assert again.get_stats()["spentToday"] == 0.0099


def test_a_fault_of_the_store_itself_is_told_and_holds_nothing_up(
    turns: Turns, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settle = ledger(turns).settle

    def break_once(*given: Any) -> Any:
        monkeypatch.setattr(turns.store, "settle", settle)
        raise RuntimeError("a fault of its own")

    monkeypatch.setattr(turns.store, "settle", break_once)
    turns.run("Hi", COUNTED)
    assert standing(turns).total == WORST
    assert "counts with the most" in caplog.text
    turns.run("Hi", COUNTED)
    assert standing(turns) == Standing(standing(turns).day, 11, WORST)
