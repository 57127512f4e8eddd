"""DRN001."""

from drainlint.finding import Level
from drainlint.rule import always
from drainlint.rules.run import RunRule


class CannotParse(RunRule):
    """A file is not valid Python for the interpreter that runs drainlint.

    Nothing in the file was checked, and no other file was checked against it: a stop method
    defined there, or a signal handler registered there, is unknown to the rest of the run.

    drainlint reads a file with the grammar of the Python that runs it. If the code is meant for a
    newer Python, run drainlint under that Python (in pre-commit, `language_version`). If it is
    not meant to be Python at all (a template, a test case with broken syntax), exclude it.

    Bad:
        def stop(self:
            self.worker.join(timeout=5)

    Good:
        def stop(self):
            self.worker.join(timeout=5)
    """

    code = "DRN001"
    level = always(Level.WARNING)
