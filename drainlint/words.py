"""The words by which rules say what a function must hold, for them to find anything in it.

A word is one of seven things:

- `sleep`: an identifier in the function's own code;
- `get()`: a call of that name with no more arguments than how long to wait (`get()` is a queue's,
  `get(key)` a dictionary's);
- `join(x)`: a call of that name with at most one positional argument, which may be a number
  (`join(5)` is a thread's, `join(a, b)` a path's);
- `while`, `for`, `with`, `async`, `await`, `yield`, `await name` (what is awaited bears a name),
  `await in cleanup` (in a block that runs on the way out): a shape of the function's statements;
- `does take`: a call that the knowledge tables say does this;
- `does take: blocking, unbounded`: a call that does it in these ways;
- `on the drain path` and the others of `LINKED`.

Names and shapes are found in a file by itself. Which library a call belongs to, and so what it does
and how, only the link can tell; so it is with the words of `LINKED`.
"""

from collections.abc import Iterable

BARE, ONE, VERB = "()", "(x)", "does "
BLOCKING, BOUNDED, UNBOUNDED, ON = "blocking", "bounded", "unbounded", "on "
"""Ways in which a call does something; `on event` tells what it is called on."""

ON_DRAIN_PATH = "on the drain path"
UNDER_A_LOCK = "under a lock"
"""The function, or who calls it, may hold a lock."""
HANDLES_SIGNALS = "handles signals"
IN_A_WORKER = "in a worker"
ODD_LIMIT = "odd limit"
"""A timeout is not simply a number of seconds."""
KEEPS_MOMENT = "keeps a moment"
"""The time is noted under a name."""
KEEPS_DEADLINE = "keeps a deadline"
"""A later time is."""
LINKED = frozenset(
    {
        ON_DRAIN_PATH,
        UNDER_A_LOCK,
        HANDLES_SIGNALS,
        IN_A_WORKER,
        ODD_LIMIT,
        KEEPS_MOMENT,
        KEEPS_DEADLINE,
    }
)


def said(verb: str, ways: Iterable[str]) -> str:
    """The word for a call that does something in some ways."""
    return VERB + ": ".join(filter(None, (verb, ", ".join(ways))))


def verb_and_ways(word: str) -> tuple[str, frozenset[str]]:
    """What a call does that meets a word, and the ways asked for; no verb for any other word."""
    if not word.startswith(VERB):
        return "", frozenset()
    verb, _, ways = word.removeprefix(VERB).partition(": ")
    return verb, frozenset(ways.split(", ")) if ways else frozenset()
