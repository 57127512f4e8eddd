"""An exit: the program, or what runs here, ends on the spot."""

from dataclasses import dataclass

from drainlint.model.noun import Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit(Noun):
    """`sys.exit`, `raise SystemExit`, `os._exit`, a signal to oneself, `os.exec*`."""

    text: str
    """The call or statement, for messages."""
    sort: str
    """`exit` (raises SystemExit), `hard` (nothing else runs), `kill` (SIGKILLs itself), `exec`."""
    handed_over: bool = False
    """Not called here but handed to somebody who will."""
    in_child: bool = False
    """It runs only in the child after a fork."""
    daemonises: bool = False
    """It ends the parent of a fork, so that the child is a daemon."""
    in_command_line: bool = False
    """It belongs to parsing the command line."""
    last_act: bool = False
    """It follows a finished drain, with nothing after it."""
    second_signal: bool = False
    """It is the way out for those who ask a second time."""
    in_handler_of_import: bool = False
    """It reports a missing dependency at import."""
    at_import: bool = False
    """It stands among a module's own statements."""
    in_signal_handler: bool = False
    """Its function is a signal handler, which runs in the main flow."""
    tears_loop: bool = False
    """It stands in a task or callback of an event loop, which ends around its other tasks."""
    in_worker: str = ""
    """What it ends instead of the program: "thread target `run`"; empty in the main flow."""
    runs_as_process: bool = False
    """Its function is the entry of a child process, which it may end."""
    caught: bool = False
    """It happens in a worker that handles it, and goes on from there."""
