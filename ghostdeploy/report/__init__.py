"""Reports: what was measured, decided or found, written for readers, for machines and for CI.

A folder is a subject: ``latency`` (a comparison of models), ``gate``, ``instructions`` and
``lint``; ``quantization`` is one file. ``parts`` is what all of them are made of, ``figures`` the
drawings. A subject's formats are rows of its literal table ``FORMATS``.
"""
