"""Define every exception that android_bench raises on purpose.

AndroidBenchError
├── OptionError                  the options contradict themselves or cannot be passed on
├── ParseError                   no trustworthy result is in the log; ``line`` is the culprit
│   ├── ProgramFailedError       the program failed or was killed; ``returncode`` says how
│   ├── UnconsumedFlagsError     the program ignored flags, yet ran and exited with 0
│   └── IncompleteLogError       the log stops before the results are complete
├── FetchError                   no program was downloaded; what was there is as it was
├── LaunchError                  a program on this machine could not be run to its end
│   ├── BinaryNotFoundError      there is no such file
│   ├── BinaryNotExecutableError the file may not be executed
│   ├── WrongArchitectureError   the file is for another processor or system
│   ├── CpuMaskError             the asked-for CPUs are not to be had
│   ├── OutputTooLongError       it printed more than any log could be
│   └── LaunchTimeoutError       it ran too long and was killed; carries what it had printed
└── AdbError                     a call of the adb program failed; carries all that it gave
    ├── AdbProgramError          the adb program that was named is none, or cannot be run
    │   └── NoAdbProgramError    there is no adb program on this machine
    ├── AdbServerError           the adb server cannot be reached
    ├── DeviceError              there is no phone to talk to
    │   ├── NoDeviceError        none is attached
    │   ├── SeveralDevicesError  which one?
    │   ├── UnknownSerialError   none of this serial is attached
    │   ├── UnauthorizedError    the phone does not trust this machine yet
    │   ├── OfflineError         attached, but it does not answer
    │   └── UsbPermissionError   this user may not open the USB device
    ├── ConnectionLostError      the phone vanished in mid-command and did not come back in time
    ├── AdbTimeoutError          adb hung and was killed, and the command on the phone with it
    ├── OutputLimitError         adb, or the command on the phone, printed without end; killed
    ├── ServiceRefusedError      the phone does not offer what was asked for
    ├── CommandFailedError       a command on the phone ended with another status than 0
    ├── TransferError            a file could not be pushed or pulled
    │   ├── NoSpaceError         the phone's storage is full
    │   ├── ReadOnlyError        its file system is read-only
    │   ├── PermissionDeniedError the shell user may not
    │   ├── RemoteFileError      there is no such file on the phone, or it is a folder
    │   └── DamagedTransferError what arrived is not what was sent
    ├── DeviceLockedError        another ghostdeploy is using the phone
    ├── DeviceNotReadyError      the phone did not cool down, charge or start in time
    └── SelfTestError            benchmark_model does not run there, or does something else

AdbServerReplacedWarning (a UserWarning): adb killed another version's server, and its sessions.

Each message is one line that says what was wrong and, where there is one, what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class AndroidBenchError(Exception):
    """The root of the tree is never raised itself."""


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


class FetchError(AndroidBenchError):
    """Nothing was fetched, and what was there before is as it was."""


class LaunchError(AndroidBenchError):
    """The program could not be run to its end on this machine."""


class BinaryNotFoundError(LaunchError):
    """There is no such program on this machine."""


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


class AdbError(AndroidBenchError):
    """A call of the adb program failed.

    ``command`` is adb's argument list, ``returncode`` its exit code (that of the command on the
    phone in CommandFailedError; None where nothing ended), ``serial`` None where no phone was
    named.
    """

    def __init__(
        self,
        message: str,
        *,
        command: Sequence[str] = (),
        returncode: int | None = None,
        stdout: bytes = b"",
        stderr: bytes = b"",
        serial: str | None = None,
    ) -> None:
        super().__init__(" ".join(message.split()))
        self.command = tuple(command)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        self.serial = serial


class AdbProgramError(AdbError):
    """The adb program that was named is none, or cannot be run on this machine."""


class NoAdbProgramError(AdbProgramError):
    """There is no adb program on this machine."""


class AdbServerError(AdbError):
    """The adb server cannot be reached or does not speak this protocol."""


class DeviceError(AdbError):
    """There is no phone to talk to; the subclasses say why."""


class NoDeviceError(DeviceError):
    """No phone is attached."""


class SeveralDevicesError(DeviceError):
    """Several phones are attached and none was named."""


class UnknownSerialError(DeviceError):
    """No phone of this serial is attached or can be connected to."""


class UnauthorizedError(DeviceError):
    """The prompt on the phone was not accepted yet."""


class OfflineError(DeviceError):
    """The phone is attached, but does not answer."""


class UsbPermissionError(DeviceError):
    """This user may not open the phone's USB device."""


class ConnectionLostError(AdbError):
    """The phone vanished in mid-command; whether the command ended is unknown."""


class AdbTimeoutError(AdbError):
    """The call did not end in time; ``stdout`` and ``stderr`` hold what came until then."""


class OutputLimitError(AdbError):
    """More came than anything of ours prints; ``stdout`` and ``stderr`` hold its beginning."""


class ServiceRefusedError(AdbError):
    """The phone closed the service at once."""


class CommandFailedError(AdbError):
    """The command ran on the phone and ended with the status ``returncode``."""


class TransferError(AdbError):
    """A file could not be pushed or pulled."""


class NoSpaceError(TransferError):
    """The phone's storage has too little room."""


class ReadOnlyError(TransferError):
    """The phone's file system cannot be written."""


class PermissionDeniedError(TransferError):
    """The phone's shell user may not read or write there."""


class RemoteFileError(TransferError):
    """The path on the phone does not exist, or is not a file."""


class DamagedTransferError(TransferError):
    """The checksum on the phone differs, twice in a row."""


class DeviceLockedError(AdbError):
    """Another process measures on this phone."""


class DeviceNotReadyError(AdbError):
    """The phone is too hot, its battery too low, or it has not finished its start."""


class SelfTestError(AdbError):
    """The program does not run on this phone, or does not do what it should."""


class AdbServerReplacedWarning(UserWarning):
    """adb killed the server of another version, and with it everybody's sessions."""
