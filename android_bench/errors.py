"""Every exception that android_bench raises on purpose.

AndroidBenchError
├── OptionError                  the options contradict themselves or cannot be passed on
├── ParseError                   no trustworthy result is in the log; ``line`` is the culprit
│   ├── ProgramFailedError       the program failed or was killed; ``returncode`` says how
│   ├── UnconsumedFlagsError     the program ignored flags, yet ran and exited with 0
│   └── IncompleteLogError       the log stops before the results are complete
└── LaunchError                  a program on this machine could not be run to its end
    ├── BinaryNotFoundError      there is no such file
    ├── BinaryNotExecutableError the file may not be executed
    ├── WrongArchitectureError   the file is for another processor or system
    ├── CpuMaskError             the asked-for CPUs are not to be had
    ├── OutputTooLongError       it printed more than any log could be
    └── LaunchTimeoutError       it ran too long and was killed; carries what it had printed

Each message is one line that says what was wrong and, where there is one, what to do.
"""

from __future__ import annotations


class AndroidBenchError(Exception):
    """The root; never raised itself."""


class OptionError(AndroidBenchError):
    """The options make no command line that the program would obey."""


class ParseError(AndroidBenchError):
    """The log holds no result that can be trusted.

    ``line`` is the offending line as ``quote`` escapes it, "" where there is none; the message
    ends with it.
    """

    def __init__(self, message: str, line: str = "") -> None:
        super().__init__(f"{message}: {line}" if line else message)
        self.line = line


class ProgramFailedError(ParseError):
    """The program said that it failed: a nonzero exit code, a signal, or its own words."""

    def __init__(self, message: str, line: str = "", *, returncode: int) -> None:
        super().__init__(message, line)
        self.returncode = returncode


class UnconsumedFlagsError(ParseError):
    """The program measured something else than was asked: it did not know some flags."""


class IncompleteLogError(ParseError):
    """The output ends, or lacks lines, before the results are complete."""


class LaunchError(AndroidBenchError):
    """The program could not be run to its end on this machine."""


class BinaryNotFoundError(LaunchError):
    """There is no such program."""


class BinaryNotExecutableError(LaunchError):
    """The file exists, but may not be executed."""


class WrongArchitectureError(LaunchError):
    """The file is no program for this processor or operating system."""


class CpuMaskError(LaunchError):
    """The process cannot be confined to the asked-for CPUs."""


class OutputTooLongError(LaunchError):
    """The program printed more than a log may hold, and was killed."""


class LaunchTimeoutError(LaunchError):
    """The program did not end in time, and was killed with all it had started."""

    def __init__(self, message: str, *, stdout: bytes, stderr: bytes) -> None:
        super().__init__(message)
        self.stdout = stdout
        self.stderr = stderr
