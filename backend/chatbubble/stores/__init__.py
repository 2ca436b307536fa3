"""Conversation stores that come in the box."""
