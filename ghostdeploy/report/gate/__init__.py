"""The reports of gates: the words for a verdict, its ``formats``, and the page of a history."""
