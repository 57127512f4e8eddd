"""Commands that prepare a measurement: pip and git; whatever fails says why in one line."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class NotInstalledError(Exception):
    """Something that is to be measured, or measured on, cannot be had."""


def run(command: Sequence[str], limit: float) -> None:
    """Run a command to its end; raises NotInstalledError where it fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            timeout=limit,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"`{Path(command[0]).name}` took over {limit:g} s") from None
    except OSError as fault:
        raise NotInstalledError(f"`{command[0]}`: {fault.strerror}") from None
    if done.returncode:
        raise NotInstalledError(last_line(done.stderr) or f"exit code {done.returncode}")


def run_pip(arguments: Sequence[str], limit: float, python: str = sys.executable) -> None:
    """Run pip; raises NotInstalledError."""
    run([python, "-m", "pip", "--disable-pip-version-check", *arguments], limit)


def last_line(text: str) -> str:
    """The last line that says something: what a failing command dies of."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
