"""The completion of bash, for words with colons: ``adb:SERIAL``, ``ghostnetv2:paper``.

bash takes a colon or an equals sign for the end of a word, and click's script hands on what bash
made of the line (its zsh and fish scripts get whole words). This one hands on the line itself.
"""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    split_arg_string,
)

_SCRIPT = """\
%(complete_func)s() {
    local IFS=$'\\n' line="${COMP_LINE:0:$COMP_POINT}" type value response
    response=$(env COMP_LINE="$line" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
%(complete_var)s=bash_complete $1)
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done <<< "$response"
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _WholeWords(BashComplete):
    source_template = _SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is begun, and that one."""
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)[1:]
        return (words, "") if line[-1:].isspace() else (words[:-1], "".join(words[-1:]))

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Leave out what bash has before its last break of the word: it stays as it is."""
        _, begun = self.get_completion_args()
        begun = begun.partition("=")[2] if begun.startswith("--") else begun  # --name=value
        breaks = [c for c in ":=" if c in os.environ.get("COMP_WORDBREAKS", ":=")]
        kept = max((begun.rfind(c) + 1 for c in breaks), default=0)
        value = item.value if item.type != "plain" else item.value[kept:]
        return f"{item.type},{value}"


def register_bash() -> None:
    """Let click complete bash's lines this way."""
    add_completion_class(_WholeWords)
