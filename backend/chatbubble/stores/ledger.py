"""What a day has cost: the account behind CHATBUBBLE_DAILY_BUDGET, one function a transaction.

A day has one row, and whoever changes anything of that day locks it first; so reservations that come from many
processes at once are looked at one after the other. Each reservation has a row of its own, by which what is tried a
second time, because nobody heard how the first attempt ended, is done once.
"""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection

from ..budget import Reservation, Standing
from . import queries


def reserve(connection: Connection, reservation: Reservation, cap: int) -> tuple[bool, Standing]:
    """See LedgerStore.reserve."""
    _lock(connection, reservation.day)
    standing = standing_of(connection, reservation.day)
    if connection.execute(queries.RESERVATION, {"reservation_id": reservation.reservation_id}).first():
        return True, standing
    if standing.total + reservation.amount > cap:
        return False, standing
    row = {"reservation_id": reservation.reservation_id, "day": reservation.day, "amount": reservation.amount}
    connection.execute(queries.NEW_RESERVATION, row)
    return True, Standing(standing.day, standing.spent, standing.reserved + reservation.amount)


def settle(connection: Connection, reservation: Reservation, cost: int) -> Standing:
    """See LedgerStore.settle."""
    _lock(connection, reservation.day)
    removed = connection.execute(queries.NO_RESERVATION, {"reservation_id": reservation.reservation_id})
    if removed.rowcount:
        connection.execute(queries.SPEND, {"of_day": reservation.day, "cost": cost})
    return standing_of(connection, reservation.day)


def cancel(connection: Connection, reservation: Reservation) -> Standing:
    """See LedgerStore.cancel: a row with nothing in it takes the place of one that is still to come."""
    _lock(connection, reservation.day)
    row = {"reservation_id": reservation.reservation_id, "day": reservation.day, "amount": 0}
    connection.execute(queries.empty_reservation(connection.dialect.name), row)
    return standing_of(connection, reservation.day)


def standing_of(connection: Connection, day: str) -> Standing:
    """See LedgerStore.standing."""
    spent = connection.scalar(queries.SPENT, {"day": day})
    reserved = connection.scalar(queries.RESERVED, {"day": day})
    return Standing(day, int(spent or 0), int(reserved or 0))


def announce(connection: Connection, day: str, amount: int) -> bool:
    """See LedgerStore.announce."""
    _lock(connection, day)
    return bool(connection.execute(queries.ANNOUNCE, {"of_day": day, "amount": amount}).rowcount)


def _lock(connection: Connection, day: str) -> None:
    """Until the end of this transaction nobody else changes anything of the day."""
    if connection.execute(queries.DAY_LOCKED, {"day": day}).first():
        return
    connection.execute(queries.new_day(connection.dialect.name), {"day": day, "spent": 0, "announced": 0})
    connection.execute(queries.DAY_LOCKED, {"day": day})
    # Whoever reserved these is gone; the day before this one may still be settled.
    before = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    connection.execute(queries.NO_OLD_RESERVATIONS, {"before": before})
