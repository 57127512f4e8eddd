"""DRN004."""

from drainlint.finding import Level
from drainlint.rule import always
from drainlint.rules.run import RunRule


class UnknownRuleInSuppression(RunRule):
    """A suppression comment names a rule that does not exist.

    The comment suppresses nothing. Mostly the name is misspelt, and the finding it was meant for
    is reported as well. `drainlint rules` lists every name.

    Bad:
        def stop(self):
            self.worker.join()  # drainlint: ignore[unbound-join] ends by itself

    Good:
        def stop(self):
            self.worker.join()  # drainlint: ignore[unbounded-join] ends by itself
    """

    code = "DRN004"
    level = always(Level.WARNING)
