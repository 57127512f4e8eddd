"""The benchmark of speed: `python -m tests.bench` measures drainlint beside other linters."""
