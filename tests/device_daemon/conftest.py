"""The fixtures of the test phones."""

from tests.device_daemon.fixtures import (  # noqa: F401
    adb,
    adb_server,
    adb_session,
    any_phone,
    make_phone,
    phone,
    phone_pool,
    standin_program,
)
