"""The version of drainlint in the spelling that SARIF asks for."""

import re

_PRE_RELEASES = {"a": "alpha", "b": "beta", "rc": "rc"}


def semantic(python_version: str) -> str:
    """A version in the spelling of semver.org: `1.2.0rc1` becomes `1.2.0-rc.1`.

    Post releases and local parts become build metadata, which does not take part in comparisons.
    """
    match = re.match(
        r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(a|b|rc)(\d+))?(?:\.dev(\d+))?(.*)", python_version
    )
    if match is None:
        return "0.0.0"
    major, minor, patch, stage, number, dev, rest = match.groups()
    before = [f"{_PRE_RELEASES[stage]}.{number}"] if stage else []
    before += [f"dev.{dev}"] if dev else []
    build = re.sub(r"[^0-9A-Za-z-]+", ".", rest).strip(".")
    return (
        f"{major}.{minor or 0}.{patch or 0}"
        f"{'-' if before else ''}{'.'.join(before)}{'+' if build else ''}{build}"
    )
