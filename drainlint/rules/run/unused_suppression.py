"""DRN003."""

from drainlint.finding import Level
from drainlint.rule import always
from drainlint.rules.run import RunRule


class UnusedSuppression(RunRule):
    """A suppression comment names a rule that finds nothing there.

    The code was mended and the comment stayed, or the comment stands on the wrong line. Left
    alone it hides the next finding of that rule from whoever makes it. Only rules that ran are
    judged: a comment for a rule that was not selected is not reported.

    Remove the comment, or move it to a line of the statement's header or directly above it.

    Bad:
        def stop(self):
            # drainlint: ignore[unbounded-join] the worker ends by itself
            self.worker.join(timeout=5)

    Good:
        def stop(self):
            self.worker.join(timeout=5)
    """

    code = "DRN003"
    level = always(Level.NOTE)
