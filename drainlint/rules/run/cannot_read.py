"""DRN002."""

from drainlint.finding import Level
from drainlint.rule import always
from drainlint.rules.run import RunRule


class CannotRead(RunRule):
    """A file or folder could not be read.

    It may be missing, forbidden, or not the kind of thing that can be opened. Nothing in it was
    checked, so the run ends with exit code 2 whatever else was found: a green result would claim
    more than drainlint saw. There is no place in a source file to point at, so this is a
    notification and never a finding; it cannot be suppressed.

    Mend the permissions, or leave the path out of the arguments or with `exclude`.
    """

    code = "DRN002"
    level = always(Level.ERROR)
