"""What the turns of one mounted chat cost, and whether there is money for one more.

The account is in the store, which all processes share and which outlives them: what one that died had put aside is
taken for spent, a Redis that is away or forgets everything changes nothing, and where the store is away no question
is taken anyway. So the cap holds for the site, whatever breaks.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import gevent
from gevent.event import Event as Signal

from .budget import LEVELS, MICRO, Budget, Reservation, Said, Standing, read_prices, shown, to_micro
from .config import Settings
from .errors import ConfigError, StoreUnavailable
from .provider import Provider
from .records import Prompt
from .store import ConversationStore, LedgerStore

logger = logging.getLogger("chatbubble.spending")

# Stands where an answer's model does in the store: this many questions were answered without any.
FALLBACK_MODEL = "none: the day's budget is spent"
_AT_THE_END = "; what does not fit in is answered with CHATBUBBLE_BUDGET_MESSAGE"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


def date_in_utc() -> str:
    """Today, like 2026-01-31."""
    return datetime.now(UTC).date().isoformat()


class Bill(Protocol):
    """What one call of the model costs."""

    def reserve(self) -> bool:
        """Put its worst case aside; False where the day has no money for it. Raises StoreUnavailable."""
        ...

    def settle(self, said: Said | None) -> None:
        """It is over; None where the question certainly came to no model. Never switches."""
        ...


class Spending(Protocol):
    """The money of one mounted chat.

    Attributes:
        fallback: what a question is answered with when there is none left.
    """

    fallback: str

    def open(self) -> None:
        """Look how the day stands. Raises StoreUnavailable."""
        ...

    def open_bill(self, prompt: Prompt) -> Bill:
        """The bill of one call that is about to be made."""
        ...

    def flush(self, budget_s: float) -> None:
        """Give what is not settled yet so many seconds: the process is about to end."""
        ...

    def get_stats(self) -> dict[str, float]:
        """Today's money, in whole units of the currency, as far as this process knows."""
        ...


class Free:
    """The bill of a call that costs nothing, or nobody counts."""

    def reserve(self) -> bool:
        """See Bill.reserve."""
        return True

    def settle(self, said: Said | None) -> None:
        """See Bill.settle."""


FREE = Free()


class NoSpending:
    """No CHATBUBBLE_DAILY_BUDGET, or a provider that costs nothing."""

    fallback = ""

    def open(self) -> None:
        """See Spending.open."""

    def open_bill(self, prompt: Prompt) -> Bill:  # noqa: ARG002 -- whatever it is
        """See Spending.open_bill."""
        return FREE

    def flush(self, budget_s: float) -> None:
        """See Spending.flush."""

    def get_stats(self) -> dict[str, float]:
        """See Spending.get_stats."""
        return _tell(0, Standing(""))


class DailySpending:
    """See Spending.

    Args:
        budget: what a day may cost.
        ledger: has the account.
        fallback: see Spending.
        today: the date in UTC.
    """

    def __init__(
        self, budget: Budget, ledger: LedgerStore, fallback: str, today: Callable[[], str] = date_in_utc
    ) -> None:
        self.fallback = fallback
        self._budget, self._ledger, self._today = budget, ledger, today
        self._standing = Standing("")
        self._told: set[tuple[str, int]] = set()
        self._unsettled: deque[tuple[Reservation, int | None]] = deque()
        self._is_at_work = False
        self._has_none = Signal()
        self._has_none.set()

    def open(self) -> None:
        """See Spending.open."""
        self._standing = self._ledger.standing(self._today())

    def open_bill(self, prompt: Prompt) -> Bill:
        """See Spending.open_bill."""
        name = secrets.token_hex(12)
        return _Bill(self, prompt, Reservation(name, self._today(), self._budget.worst_case(prompt)))

    def reserve(self, reservation: Reservation) -> bool:
        """See LedgerStore.reserve."""
        is_reserved, standing = self._ledger.reserve(reservation, self._budget.cap)
        self._see(standing, standing.spent if is_reserved else self._budget.cap)
        return is_reserved

    def settle(self, reservation: Reservation, prompt: Prompt, said: Said | None, *, is_reserved: bool) -> None:
        """Have it settled soon, in a greenlet that lives while there is something to settle. Never switches."""
        cost = self._budget.cost(prompt, said) if said else 0
        self._unsettled.append((reservation, cost if is_reserved else None))
        self._has_none.clear()
        if not self._is_at_work:
            self._is_at_work = True
            gevent.spawn(self._work)

    def flush(self, budget_s: float) -> None:
        """See Spending.flush."""
        if not self._has_none.wait(budget_s):
            logger.error("%d answers count with the most that they may have cost", len(self._unsettled))

    def get_stats(self) -> dict[str, float]:
        """See Spending.get_stats."""
        today = self._today()
        return _tell(self._budget.cap, self._standing if self._standing.day == today else Standing(today))

    def _work(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while self._unsettled:
            try:
                self._settle(*self._unsettled[0])
            except StoreUnavailable as failure:
                logger.info("%d answers are not paid yet: %s", len(self._unsettled), failure.detail)
                gevent.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
                continue
            except Exception:
                logger.exception("an answer counts with the most that it may have cost")
            self._unsettled.popleft()
            pause_s = _FIRST_PAUSE_S
        self._is_at_work = False
        self._has_none.set()

    def _settle(self, reservation: Reservation, cost: int | None) -> None:
        standing = self._ledger.cancel(reservation) if cost is None else self._ledger.settle(reservation, cost)
        self._see(standing, standing.spent)

    def _see(self, standing: Standing, amount: int) -> None:
        """How a day stands, and what of its cap has been reached."""
        if standing.day >= self._standing.day:
            self._standing = standing
        new = [level for level in self._budget.levels_of(amount) if (standing.day, level) not in self._told]
        if new:
            self._told.update((standing.day, level) for level in new)
            gevent.spawn(self._warn, standing, new)

    def _warn(self, standing: Standing, levels: list[int]) -> None:
        """Tell of these levels, unless this or another process has done so on that day."""
        for level in levels:
            try:
                is_new = self._ledger.announce(standing.day, self._budget.amount_at(level))
            except StoreUnavailable as failure:
                logger.info("perhaps this was told before: %s", failure.detail)
                is_new = True
            if is_new:
                spent, cap, aside = map(shown, (standing.spent, self._budget.cap, standing.reserved))
                logger.warning(
                    "%d %% of the budget of %s (UTC) is used: %s of %s spent, %s put aside for answers that run%s",
                    *(level, standing.day, spent, cap, aside, _AT_THE_END if level == LEVELS[-1] else ""),
                )


class _Bill:
    """See Bill."""

    def __init__(self, spending: DailySpending, prompt: Prompt, reservation: Reservation) -> None:
        self._spending, self._prompt, self._reservation = spending, prompt, reservation
        self._is_reserved: bool | None = None

    def reserve(self) -> bool:
        """See Bill.reserve."""
        self._is_reserved = self._spending.reserve(self._reservation)
        return self._is_reserved

    def settle(self, said: Said | None) -> None:
        """See Bill.settle."""
        # None: killed on the way, and perhaps reserved all the same.
        if self._is_reserved is not False:
            self._spending.settle(self._reservation, self._prompt, said, is_reserved=bool(self._is_reserved))


def create_spending(settings: Settings, provider: Provider, store: ConversationStore) -> Spending:
    """What CHATBUBBLE_DAILY_BUDGET asks for. Raises ConfigError when it cannot be kept."""
    budget = read_budget(settings, provider.model) if provider.name != "demo" else None
    if budget is None:
        return NoSpending()
    if not isinstance(store, LedgerStore):
        raise ConfigError("CHATBUBBLE_DAILY_BUDGET needs a store that keeps account, see chatbubble.store.LedgerStore")
    return DailySpending(budget, store, write_fallback(settings.budget_message, settings.contact_url))


def read_budget(settings: Settings, model: str) -> Budget | None:
    """The budget for this model; None where there is none. Raises ConfigError when it cannot be kept."""
    cap = to_micro(settings.daily_budget)
    if not cap:
        return None
    price = read_prices(settings.prices).get(model)
    if price is None:
        raise ConfigError(
            f"CHATBUBBLE_DAILY_BUDGET needs to know what the model costs, a million tokens in and out: "
            f"CHATBUBBLE_PRICES={model}=0.15/0.60"
        )
    budget = Budget(cap, price, settings.max_tokens)
    least = budget.worst_case_of_any(settings.context_tokens)
    if cap < least:
        raise ConfigError(f"CHATBUBBLE_DAILY_BUDGET is {shown(cap)}, and one answer alone may cost {shown(least)}")
    return budget


def write_fallback(message: str, contact_url: str) -> str:
    """What visitors read where there is no money, in Markdown. The link names its own address: that is any language."""
    if not contact_url:
        return message
    name = re.sub(r"^(https://|mailto:)", "", contact_url).partition("?")[0].partition("#")[0].rstrip("/")
    escaped = re.sub("([_~])", r"\\\1", name)
    return f"{message}\n\n[{escaped}]({contact_url})"


def _tell(cap: int, standing: Standing) -> dict[str, float]:
    amounts = {"dailyBudget": cap, "spentToday": standing.spent, "reservedNow": standing.reserved}
    return {name: amount / MICRO for name, amount in amounts.items()}
