"""What git says of a folder: the commit, the branch, and who works there."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ghostdeploy.gate.outcome import GitIdentity

TIMEOUT_S = 10.0
LONGEST = 200  # characters of a name


def identify_commit(folder: Path) -> GitIdentity:
    """Identify the commit of the repository around ``folder``; what git does not tell is empty."""
    name, email = _git(folder, "config", "user.name"), _git(folder, "config", "user.email")
    return GitIdentity(
        commit=_git(folder, "rev-parse", "HEAD"),
        branch=_git(folder, "rev-parse", "--abbrev-ref", "HEAD"),
        author=f"{name} <{email}>" if name and email else name or email,
        dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
    )


def _git(folder: Path, *words: str) -> str:
    """Return the first line that git prints; "" if it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.strip().splitlines()
    return lines[0][:LONGEST] if done.returncode == 0 and lines else ""
