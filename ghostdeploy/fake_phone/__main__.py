"""Run a test phone and print how to connect to it.

``python -m ghostdeploy.fake_phone --phone kirin980 --port 0``. SIGUSR1 drops its connections,
SIGUSR2 taps the prompt, SIGINT and SIGTERM switch it off.
"""

from __future__ import annotations

import argparse
import signal
from contextlib import ExitStack

from ghostdeploy.fake_phone import PHONES, Phone
from ghostdeploy.fake_phone.sandbox import SandboxError


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m ghostdeploy.fake_phone", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--phone", choices=PHONES, default="kirin980")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--auth", choices=("open", "tap", "never"), default="open")
    options = parser.parse_args()
    try:
        phone = Phone(PHONES[options.phone], port=options.port, auth=options.auth).start()
    except (OSError, SandboxError) as error:
        parser.exit(3, f"error: no phone: {error}\n")
    with ExitStack() as stack:
        stack.callback(phone.stop)
        print(f"adb connect {phone.serial}", flush=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGUSR1, lambda *_: phone.drop())
        signal.signal(signal.SIGUSR2, lambda *_: phone.tap())
        try:
            while True:
                signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
