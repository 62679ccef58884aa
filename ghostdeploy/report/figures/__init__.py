"""The drawings. One file a figure, and beside them the ``style`` and ``labels`` that they share."""
