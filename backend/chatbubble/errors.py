"""Every way Chatbubble can refuse or fail: one class per cause.

A code names the cause, never the cure. `message` is safe to show to a visitor: it is
our words, never the provider's. What only an operator may see goes to the log.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ChatbubbleError(Exception):
    """Base of all. `detail` is for the log; `extra` joins the JSON body; `is_unpaid`: no model has worked for it."""

    code: ClassVar[str] = "STREAM_ERROR"
    status: ClassVar[int] = 500
    message: str = "Something went wrong on our side."
    retryable: ClassVar[bool] = True
    is_unpaid: bool = False

    def __init__(
        self, message: str | None = None, *, detail: str = "", retry_after_s: int | None = None, **extra: Any
    ) -> None:
        if message is not None:
            self.message = message
        self.detail, self.retry_after_s, self.extra = detail, retry_after_s, extra
        super().__init__(detail or self.message)

    def to_body(self) -> dict[str, Any]:
        """The JSON body of a refusal: `{"error": {"code", "message", "retryable", ...}}`."""
        return {"error": {"code": self.code, "message": self.message, "retryable": self.retryable, **self.extra}}


class ConfigError(ChatbubbleError):
    """A setting is unknown or malformed. Raised at start, never sent to a visitor."""

    code = "CONFIG_ERROR"
    retryable = False


class StreamError(ChatbubbleError):
    """Our own fault in the middle of a turn."""


class BadRequest(ChatbubbleError):
    """The request does not have the documented shape."""

    code = "BAD_REQUEST"
    status = 400
    message = "The request is not valid."
    retryable = False


class SessionMissing(ChatbubbleError):
    """No usable session id came with the request."""

    code = "SESSION_MISSING"
    status = 401
    message = "A session id is needed: send it as Authorization: Bearer <sessionId>."
    retryable = False


class SessionExpired(ChatbubbleError):
    """A session id that the server gave is over, or was never given."""

    code = "SESSION_EXPIRED"
    status = 401
    message = "This session is over: the page has to tell anew who its visitor is."
    retryable = False


class IdentityRefused(ChatbubbleError):
    """What should tell who a visitor is does not hold."""

    code = "IDENTITY_REFUSED"
    status = 401
    message = "It could not be confirmed who you are."
    retryable = False


class OperatorRequired(ChatbubbleError):
    """The route is for operators and the token is not theirs."""

    code = "OPERATOR_REQUIRED"
    status = 401
    message = "This address needs the operator's token: Authorization: Bearer <token>."
    retryable = False


class OriginRefused(ChatbubbleError):
    """A page of an origin that is not in CHATBUBBLE_ALLOWED_ORIGINS is calling."""

    code = "ORIGIN_REFUSED"
    status = 403
    message = "This site may not use the chat."
    retryable = False


class NotFound(ChatbubbleError):
    """Nothing is here, or it is somebody else's: the answer is the same."""

    code = "NOT_FOUND"
    status = 404
    message = "There is nothing at this address."
    retryable = False


class IdentityOff(ChatbubbleError):
    """A page tells who its visitor is, and there is no secret to check it by."""

    code = "IDENTITY_OFF"
    status = 404
    message = "This chat knows nobody by name."
    retryable = False


class MethodNotAllowed(ChatbubbleError):
    """The address exists, with other methods."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    message = "This address does not take that method."
    retryable = False


class RequestTooSlow(ChatbubbleError):
    """The request did not arrive in time."""

    code = "REQUEST_TIMEOUT"
    status = 408
    message = "The request took too long to arrive."


class TurnRunning(ChatbubbleError):
    """The conversation's last question is still being answered."""

    code = "TURN_RUNNING"
    status = 409
    message = "The last question is still being answered."


class RequestMismatch(ChatbubbleError):
    """A request id was used again with another question."""

    code = "REQUEST_MISMATCH"
    status = 409
    message = "This request id was already used for another question."
    retryable = False


class PayloadTooLarge(ChatbubbleError):
    """The body is over 16 KB."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    message = "The request is too large: at most 16,384 bytes."
    retryable = False


class UnsupportedMediaType(ChatbubbleError):
    """The body is not declared as JSON in UTF-8."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    message = "Send the body as Content-Type: application/json, in UTF-8."
    retryable = False


class RateLimited(ChatbubbleError):
    """Too many questions, or too much feedback, in too short a time."""

    code = "RATE_LIMITED"
    status = 429
    message = "Too many requests in a short time. Please wait a moment."


class UpstreamUnavailable(ChatbubbleError):
    """The model's server cannot be reached, refuses, or answers nonsense."""

    code = "UPSTREAM_UNAVAILABLE"
    status = 502
    message = "The assistant cannot be reached at the moment."


class UpstreamRefused(ChatbubbleError):
    """The model's server rejects our request: a wrong key, model or parameter."""

    code = "UPSTREAM_REFUSED"
    status = 502
    message = "The assistant is not set up correctly. We have been told."
    retryable = False


class UpstreamBusy(ChatbubbleError):
    """The model's server is over its own limit."""

    code = "UPSTREAM_BUSY"
    status = 503
    message = "The assistant is very busy. Please try again in a moment."


class UpstreamTimeout(ChatbubbleError):
    """The model's server went silent."""

    code = "UPSTREAM_TIMEOUT"
    status = 504
    message = "The assistant took too long to answer."


class EmptyAnswer(ChatbubbleError):
    """The model finished without a single character."""

    code = "EMPTY_ANSWER"
    status = 502
    message = "The assistant had no answer this time."


class ContentFiltered(ChatbubbleError):
    """The model's server withheld the whole answer."""

    code = "CONTENT_FILTERED"
    status = 502
    message = "This question cannot be answered here."
    retryable = False


class Interrupted(ChatbubbleError):
    """The server stopped before the answer was complete."""

    code = "INTERRUPTED"
    status = 503
    message = "The answer was interrupted. Please ask again."


class Overloaded(ChatbubbleError):
    """This process holds as many streams as it may."""

    code = "OVERLOADED"
    status = 503
    message = "The chat is very busy. Please try again in a moment."


class ShuttingDown(ChatbubbleError):
    """The server is stopping and takes no new questions."""

    code = "SHUTTING_DOWN"
    status = 503
    message = "The chat is restarting. Please try again in a moment."


class StoreUnavailable(ChatbubbleError):
    """The conversation store cannot be read or written."""

    code = "STORE_UNAVAILABLE"
    status = 503
    message = "The conversation cannot be saved at the moment."


class RedisUnavailable(StoreUnavailable):
    """Redis cannot be reached, or refuses."""


class Unpatched(ChatbubbleError):
    """The process runs without gevent's monkey patching."""

    code = "SERVER_UNPATCHED"
    status = 503
    message = "The chat server is not set up correctly."
    retryable = False


class SeveralProcesses(ChatbubbleError):
    """The server runs this app in several processes, and answers live in one."""

    code = "SERVER_MULTIPROCESS"
    status = 503
    message = "The chat server is not set up correctly."
    retryable = False


class ClientNotFound(ChatbubbleError):
    """No connected client has this id."""

    code = "CLIENT_NOT_FOUND"
    status = 404
    message = "No connected client has this id."
    retryable = False


class StreamEnded(ChatbubbleError):
    """An event came after the terminal one. A fault of ours: it never leaves the process."""

    code = "STREAM_ENDED"


def error_of(code: str) -> ChatbubbleError:
    """The error that a stored code stands for; a StreamError for a code that is not ours any more."""
    kinds = {kind.code: kind for kind in ChatbubbleError.__subclasses__()}
    return kinds.get(code, StreamError)()
