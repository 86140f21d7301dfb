"""Figures: what happened, counted and summed by time, about nobody.

Owns the facts that the relays of all services tell it, and their sums. Never holds a name, an
identifier or a value of a person, never shows a cell of fewer than 11 events.
"""
