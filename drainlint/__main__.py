"""`python -m drainlint`, and the entry of the installed command."""

import gc
import sys


def main() -> None:
    """Run the command and leave with its exit code.

    Little of what a run makes is circular, and the process ends with it: looking for such garbage
    among all that is alive takes longer than some runs.
    """
    gc.disable()
    try:
        from drainlint.cli import command  # noqa: PLC0415  importing the entry must cost nothing

        sys.exit(command(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
