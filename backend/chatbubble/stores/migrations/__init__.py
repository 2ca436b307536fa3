"""The steps from the first tables to today's, for Alembic; `../upgrade.py` walks them.

A revision is never changed once it has been released, and only adds: a Chatbubble that is one
version older goes on working on what it finds, as it does in the middle of a rolling update.
Whoever adds one describes the same in `../schema.py` and names it there as REVISION.
"""
