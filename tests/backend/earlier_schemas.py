"""The database as each earlier Chatbubble made it, with something in every table.

Each step is what its release added; the statements are those that it ran, and are never changed.
"""

from __future__ import annotations

from collections.abc import Callable

# What SQLite and PostgreSQL call the same.
WORDS = {
    "sqlite": {"counter": "INTEGER", "reference": "INTEGER", "without_rowid": "WITHOUT ROWID"},
    "postgresql": {"counter": "BIGSERIAL", "reference": "BIGINT", "without_rowid": ""},
}

FIRST_TABLES = """
CREATE TABLE conversations (
    conversation_id VARCHAR(64) NOT NULL, visitor_id VARCHAR(64) NOT NULL, created_at BIGINT NOT NULL,
    PRIMARY KEY (conversation_id), UNIQUE (visitor_id)
);
CREATE TABLE messages (
    id {counter} NOT NULL, message_id VARCHAR(64) NOT NULL, conversation_id VARCHAR(64) NOT NULL,
    author VARCHAR(16) NOT NULL, content TEXT NOT NULL, created_at BIGINT NOT NULL, finish_reason VARCHAR(16),
    error_code VARCHAR(32), request_id VARCHAR(128), model VARCHAR(128), prompt_tokens INTEGER,
    completion_tokens INTEGER, PRIMARY KEY (id), UNIQUE (message_id),
    FOREIGN KEY(conversation_id) REFERENCES conversations (conversation_id)
);
CREATE INDEX messages_in_order ON messages (conversation_id, id);
CREATE TABLE turns (
    stream_id VARCHAR(64) NOT NULL, conversation_id VARCHAR(64) NOT NULL, request_id VARCHAR(128) NOT NULL,
    question_id {reference} NOT NULL, message_id VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL, finished_at BIGINT, PRIMARY KEY (stream_id),
    FOREIGN KEY(conversation_id) REFERENCES conversations (conversation_id),
    FOREIGN KEY(question_id) REFERENCES messages (id), UNIQUE (message_id)
);
CREATE UNIQUE INDEX one_turn_a_request ON turns (conversation_id, request_id);
CREATE UNIQUE INDEX one_running_turn ON turns (conversation_id) WHERE state = 'running';
"""
_FIRST_ROWS = """
INSERT INTO conversations VALUES ('c1', 'anna', 1), ('c2', 'bert', 2);
INSERT INTO messages
    (message_id, conversation_id, author, content, created_at, finish_reason, request_id, model, prompt_tokens)
VALUES
    ('m1', 'c1', 'visitor', 'hello', 1, NULL, 'r1', NULL, NULL),
    ('m2', 'c1', 'assistant', 'hi', 2, 'stop', 'r1', 'model-1', 3),
    ('m3', 'c1', 'visitor', 'and then?', 3, NULL, 'r2', NULL, NULL),
    ('m5', 'c2', 'visitor', 'bert asks', 4, NULL, 'r1', NULL, NULL);
INSERT INTO turns VALUES
    ('s1', 'c1', 'r1', 1, 'm2', 'done', 1, 2),
    ('s2', 'c1', 'r2', 3, 'm4', 'running', 3, NULL),
    ('s3', 'c2', 'r1', 4, 'm6', 'running', 4, NULL);
"""
CONVERSATIONS = FIRST_TABLES + _FIRST_ROWS
ANSWER_PARTS = """
CREATE TABLE answer_parts (
    stream_id VARCHAR(64) NOT NULL, position INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (stream_id, position),
    FOREIGN KEY(stream_id) REFERENCES turns (stream_id) ON DELETE CASCADE
) {without_rowid};
INSERT INTO answer_parts VALUES ('s2', 0, 'half an '), ('s2', 7, 'answer');
"""
REPLACED_MESSAGES = """
CREATE TABLE replaced_messages (
    id {reference} NOT NULL, replaced_at BIGINT NOT NULL, PRIMARY KEY (id),
    FOREIGN KEY(id) REFERENCES messages (id) ON DELETE CASCADE
);
INSERT INTO replaced_messages VALUES (1, 3), (2, 3);
"""
ANSWER_ADDITIONS = """
CREATE TABLE answer_additions (
    id {reference} NOT NULL, sources TEXT NOT NULL, suggestions TEXT NOT NULL, PRIMARY KEY (id),
    FOREIGN KEY(id) REFERENCES messages (id) ON DELETE CASCADE
);
INSERT INTO answer_additions VALUES (2, '[]', '["Why?"]');
"""
FEEDBACK = """
CREATE TABLE feedback (
    id {reference} NOT NULL, rating VARCHAR(8) NOT NULL, comment TEXT NOT NULL, given_at BIGINT NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(id) REFERENCES messages (id) ON DELETE CASCADE
);
INSERT INTO feedback VALUES (2, 'up', 'thank you', 5);
"""
STEPS = {
    "conversations": CONVERSATIONS,
    "answer_parts": ANSWER_PARTS,
    "replaced_messages": REPLACED_MESSAGES,
    "answer_additions": ANSWER_ADDITIONS,
    "feedback": FEEDBACK,
}


def make_earlier(run: Callable[[str], object], kind: str, last: str) -> None:
    """Make the database as it was when `last` was the newest step; `run` runs many statements."""
    for name, step in STEPS.items():
        for word, replacement in WORDS[kind].items():
            step = step.replace(f"{{{word}}}", replacement)
        run(step)
        if name == last:
            return
    raise KeyError(last)
