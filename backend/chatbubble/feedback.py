"""The body of `POST /feedback`, from bytes to a checked record."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from .body import parse_object, text_of, words_of
from .errors import BadRequest
from .records import Feedback, Rating

COMMENT_CHARS = 1000
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_RATINGS = {rating.value: rating for rating in Rating}


def parse_feedback(
    body: bytes, redact: Callable[[str], str] = str, now: Callable[[], float] = time.time
) -> tuple[str, Feedback | None]:
    """The message that is rated, and what is said of it, as `redact` leaves it; None where that is taken back.

    Raises BadRequest that names the field, what was expected and what came.
    """
    fields = parse_object(body)
    for name in ("messageId", "rating"):
        if name not in fields:
            raise BadRequest(f"{name} is missing: send {{messageId, rating}} as JSON.", field=name)
    message_id = text_of(fields, "messageId")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise BadRequest("messageId should be the id of an answer.", field="messageId")
    comment = "" if fields.get("comment") is None else words_of(fields, "comment")
    if len(comment) > COMMENT_CHARS:
        raise BadRequest(
            f"comment should be at most {COMMENT_CHARS} characters, but it has {len(comment)}.", field="comment"
        )
    if fields["rating"] is None:
        return message_id, None
    rating = _RATINGS.get(text_of(fields, "rating"))
    if rating is None:
        raise BadRequest("rating should be up, down or null.", field="rating")
    return message_id, Feedback(rating, redact(comment), int(now() * 1000))
