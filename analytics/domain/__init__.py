"""The rules of figures: what is counted, how time is cut, what is withheld."""
