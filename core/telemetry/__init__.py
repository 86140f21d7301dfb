"""Logs, metrics and traces. None of them ever holds a value of class PERSONAL or above."""
