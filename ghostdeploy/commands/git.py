"""Who and what git says this is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ghostdeploy.gate.outcome import GitIdentity

TIMEOUT_S = 10.0
LONGEST = 200  # characters of a name


def git_identity(folder: Path) -> GitIdentity:
    """Of the repository around ``folder``; what git does not tell is empty."""
    name, email = _git(folder, "config", "user.name"), _git(folder, "config", "user.email")
    return GitIdentity(
        commit=_git(folder, "rev-parse", "HEAD"),
        branch=_git(folder, "rev-parse", "--abbrev-ref", "HEAD"),
        author=f"{name} <{email}>" if name and email else name or email,
        dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
    )


def _git(folder: Path, *words: str) -> str:
    """The first line of what it prints; "" if it fails or is not there."""
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
