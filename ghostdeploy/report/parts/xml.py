"""Text in XML 1.0."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from ghostdeploy.report.parts.clean_text import clean

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean_xml(text: str, limit: int) -> str:
    """Return one line without the characters that XML 1.0 forbids."""
    return _NOT_XML.sub("", clean(text, limit))


def write_document(root: ElementTree.Element) -> str:
    """Return the whole file, indented."""
    ElementTree.indent(root, " ")
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
