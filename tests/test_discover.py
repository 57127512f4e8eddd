"""Which files the arguments come to, and why the others are left out."""

import os
import subprocess
from pathlib import Path

import pytest

from drainlint.config import Configs, RuleNames, config_in
from drainlint.discover import Discovery, Found, SourceFile, find_root
from tests.conftest import git


def put(folder: Path, *names: str, text: str = "") -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def discovery(root: Path) -> Discovery:
    return Discovery(root, Configs(root, RuleNames(())).of)


def found(root: Path, *arguments: str, stdin: SourceFile | None = None) -> Found:
    return discovery(root).asked([str(root / a) for a in arguments or (".",)], stdin)


def files(root: Path, *arguments: str) -> list[str]:
    return [file.relative for file in found(root, *arguments).files]


def skipped(root: Path, *arguments: str) -> dict[str, str]:
    return {file.path: file.reason for file in found(root, *arguments).skipped}


def test_a_folder_gives_its_python_files_in_order(tmp_path: Path) -> None:
    put(tmp_path, "b.py", "a/z.py", "a.py", "README.md", "script")
    assert files(tmp_path) == ["a.py", "a/z.py", "b.py"]


def test_a_named_file_is_checked_whatever_its_ending(tmp_path: Path) -> None:
    put(tmp_path, "script", ".hidden.py", "build/x.py")
    names = ["script", ".hidden.py", "build/x.py"]
    assert files(tmp_path, *names) == sorted(names)


def test_a_file_named_twice_is_checked_once(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "sub/b.py")
    assert files(tmp_path, "a.py", "./a.py", ".", "sub", "sub/../a.py") == ["a.py", "sub/b.py"]


def test_stubs_and_notebooks_are_counted_as_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.pyi", "b.ipynb", "c.py")
    assert skipped(tmp_path) == {"a.pyi": "type stub", "b.ipynb": "notebook"}
    assert skipped(tmp_path, "a.pyi") == {"a.pyi": "type stub"}
    assert files(tmp_path) == ["c.py"]


def test_folders_excluded_by_default_are_left_out_below_an_argument(tmp_path: Path) -> None:
    names = [".tox/a.py", "venv/a.py", "node_modules/a.py", "build/a.py", "x/dist/a.py"]
    put(tmp_path, "a.py", ".b.py", *names, "__pycache__/a.py", "x/site-packages/a.py")
    assert files(tmp_path) == ["a.py"]
    assert skipped(tmp_path) == dict.fromkeys(
        (".b.py", ".tox/", "venv/", "node_modules/", "build/", "x/dist/", "x/site-packages/"),
        "excluded by default",
    )


def test_the_argument_and_its_parents_are_never_excluded_by_default(tmp_path: Path) -> None:
    put(tmp_path, "venv/lib/site-packages/a.py", "venv/lib/site-packages/build/b.py")
    assert files(tmp_path, "venv/lib/site-packages") == ["venv/lib/site-packages/a.py"]


def test_a_file_called_build_py_is_not_excluded(tmp_path: Path) -> None:
    assert files(put(tmp_path, "build.py")) == ["build.py"]


def test_gitignore_counts_below_an_argument_with_and_without_a_repository(tmp_path: Path) -> None:
    put(tmp_path, "gen/a.py", "a_pb2.py", "a.py", "sub/keep_pb2.py", "sub/gen/deep/b.py")
    put(tmp_path, ".gitignore", text="*_pb2.py\n# comment\n\n/gen/\n!keep_pb2.py\n")
    expected = ["a.py", "sub/gen/deep/b.py", "sub/keep_pb2.py"]
    assert files(tmp_path) == expected
    assert skipped(tmp_path)["gen/"] == "ignored by git"
    git(tmp_path, "init", "--quiet")
    assert files(tmp_path) == expected


def test_a_nested_gitignore_wins_over_an_outer_one(tmp_path: Path) -> None:
    put(tmp_path, "sub/a.py", "sub/b.py", "c.py")
    put(tmp_path, ".gitignore", text="a.py\n")
    put(tmp_path, "sub/.gitignore", text="!a.py\nb.py\n")
    assert files(tmp_path) == ["c.py", "sub/a.py"]


def test_the_last_matching_line_of_a_gitignore_wins(tmp_path: Path) -> None:
    put(tmp_path, "sub/a.py", "sub/b.py")
    put(tmp_path, ".gitignore", text="sub/*.py\n!b.py\n")
    assert files(tmp_path) == ["sub/b.py"]


def test_gitignore_never_counts_for_the_argument_or_its_parents(tmp_path: Path) -> None:
    put(tmp_path, "gen/a.py", "gen/sub/b.py", "gen/sub/c_pb2.py")
    put(tmp_path, ".gitignore", text="gen/\n")
    assert files(tmp_path, "gen/sub") == ["gen/sub/b.py", "gen/sub/c_pb2.py"]
    assert files(tmp_path, "gen/a.py") == ["gen/a.py"]


def test_a_gitignore_above_the_argument_counts_below_it(tmp_path: Path) -> None:
    put(tmp_path, "src/a.py", "src/a_pb2.py", "src/gen/b.py")
    put(tmp_path, ".gitignore", text="*_pb2.py\nsrc/gen\n")
    assert files(tmp_path, "src") == ["src/a.py"]


def test_git_s_own_exclude_file_counts(tmp_path: Path) -> None:
    git(put(tmp_path, "a.py", "b.py"), "init", "--quiet")
    put(tmp_path, ".git/info/exclude", text="b.py\n")
    assert files(tmp_path) == ["a.py"]
    put(tmp_path, ".gitignore", text="!b.py\n")
    assert files(tmp_path) == ["a.py", "b.py"]


def test_a_repository_inside_obeys_its_own_ignore_files_alone(tmp_path: Path) -> None:
    put(tmp_path, "inner/.git/HEAD", "inner/a.py", "inner/b.py", "a.py")
    put(tmp_path, ".gitignore", text="a.py\n")
    put(tmp_path, "inner/.gitignore", text="b.py\n")
    assert files(tmp_path) == ["inner/a.py"]


def test_what_git_ignores_and_what_we_leave_out_agree(tmp_path: Path) -> None:
    lines = [
        "*.tmp.py",
        "/top.py",
        "a/**/deep.py",
        "logs/",
        "!logs/",
        "x[0-9].py",
        "sp\\ ace.py",
        "trail.py   ",
        "**/any/",
        "mid/*/end.py",
        "\\#hash.py",
        "!/a/keep.tmp.py",
    ]
    names = ["k.tmp.py", "top.py", "a/top.py", "a/deep.py", "a/b/c/deep.py", "logs/l.py", "x1.py",
             "xa.py", "sp ace.py", "trail.py", "q/any/f.py", "mid/m/end.py", "mid/m/n/end.py",
             "#hash.py", "a/keep.tmp.py"]  # fmt: skip
    git(put(tmp_path, *names), "init", "--quiet")
    put(tmp_path, ".gitignore", text="\n".join(lines))
    listed = git(tmp_path, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    assert files(tmp_path) == sorted(name for name in listed if name.endswith(".py"))


def test_an_ignore_file_with_a_line_that_is_no_pattern_keeps_the_others(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "b.py")
    (tmp_path / ".gitignore").write_bytes(b"//\n!\n\xff\xfe\nb.py\r\n")
    assert files(tmp_path) == ["a.py"]


def test_exclude_of_the_configuration_counts_for_named_files_too(tmp_path: Path) -> None:
    put(tmp_path, "vendored/a.py", "a.py", ".hidden/b.py", "build/c.py")
    put(tmp_path, "drainlint.toml", text='exclude = ["vendored"]\n')
    assert skipped(tmp_path, "vendored/a.py") == {"vendored/a.py": "excluded by drainlint.toml"}
    assert skipped(tmp_path, "vendored") == {"vendored/": "excluded by drainlint.toml"}
    assert files(tmp_path) == [".hidden/b.py", "a.py", "build/c.py"]


def test_extend_exclude_keeps_the_default_excludes(tmp_path: Path) -> None:
    put(tmp_path, "vendored/a.py", "a.py", "build/c.py")
    put(tmp_path, "drainlint.toml", text='extend-exclude = ["vendored/*.py"]\n')
    assert files(tmp_path) == ["a.py"]


def test_excludes_of_a_nested_configuration_count_in_its_folder_alone(tmp_path: Path) -> None:
    put(tmp_path, "gen/a.py", "sub/gen/b.py", "sub/c.py")
    put(tmp_path, "sub/drainlint.toml", text='extend-exclude = ["gen"]\n')
    assert files(tmp_path) == ["gen/a.py", "sub/c.py"]


def test_files_of_a_faulty_configuration_are_left_out_and_the_others_kept(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "sub/b.py")
    put(tmp_path, "sub/drainlint.toml", text="nonsense = 1\n")
    assert files(tmp_path) == ["a.py"]
    assert skipped(tmp_path) == {"sub/b.py": "faulty configuration"}
    assert skipped(tmp_path, "sub/b.py") == {"sub/b.py": "faulty configuration"}


def test_what_is_missing_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    put(tmp_path, "a.py")
    result = found(tmp_path, "gone.py", "a.py")
    assert [file.relative for file in result.files] == ["a.py"]
    assert [(n.code, n.path) for n in result.notices] == [("DRN002", "gone.py")]
    assert "No such file" in result.notices[0].text


def test_what_is_no_regular_file_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert found(tmp_path, "pipe.py").notices[0].text == "cannot be read: not a regular file"
    assert skipped(tmp_path) == {"pipe.py": "not a regular file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    put(tmp_path, "a.py", "locked/b.py")
    (tmp_path / "locked").chmod(0)
    result = found(tmp_path)
    (tmp_path / "locked").chmod(0o700)
    assert [file.relative for file in result.files] == ["a.py"]
    assert [notice.path for notice in result.notices] == ["locked"]


def test_a_folder_without_python_is_said_to_be_empty(tmp_path: Path) -> None:
    put(tmp_path, "none/README.md", "some/a.py")
    (folder,) = found(tmp_path, "none", "some").empty
    assert folder == str(tmp_path / "none")


def test_a_folder_whose_files_another_argument_named_is_not_empty(tmp_path: Path) -> None:
    put(tmp_path, "some/a.py")
    assert found(tmp_path, "some/a.py", "some", "some").empty == ()


def test_symbolic_links_to_folders_are_not_followed_so_loops_end(tmp_path: Path) -> None:
    put(tmp_path, "a/x.py")
    (tmp_path / "a/loop").symlink_to(tmp_path)
    (tmp_path / "a/self").symlink_to(tmp_path / "a/self")
    assert files(tmp_path) == ["a/x.py"]
    assert skipped(tmp_path) == {"a/loop/": "symbolic link to a folder"}


def test_an_argument_that_is_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "a/x.py")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert files(tmp_path, "link") == ["link/x.py"]


def test_a_file_reached_by_two_names_is_checked_once(tmp_path: Path) -> None:
    put(tmp_path / "outside", "y.py")
    root = put(tmp_path / "root", "a.py")
    (root / "b.py").symlink_to("a.py")
    (root / "gone.py").symlink_to("nothing")
    (root / "y.py").symlink_to("../outside/y.py")
    (root / "z.py").symlink_to("../outside/y.py")
    assert files(root) == ["a.py", "y.py"]
    assert skipped(root) == {
        "b.py": "symbolic link within the project",
        "gone.py": "broken symbolic link",
        "z.py": "symbolic link to a file that is checked",
    }
    assert files(root, "b.py") == ["b.py"]
    assert files(root, "b.py", "a.py") == ["a.py"]


def test_very_deep_folders_are_walked(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 1200)
    subprocess.run(["mkdir", "-p", str(deep)], check=True)
    put(deep, "a.py")
    try:
        assert len(files(tmp_path)) == 1
    finally:
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)


def test_names_of_any_bytes_are_kept(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff \n.py")
    put(tmp_path, name)
    assert files(tmp_path) == [name]


def test_the_project_is_what_was_asked_for_and_every_other_file_under_the_root(
    tmp_path: Path,
) -> None:
    put(tmp_path, "a.py", "b/c.py", "venv/d.py", "venv/e.py")
    search = discovery(tmp_path)
    project = search.project(search.asked([str(tmp_path / "b"), str(tmp_path / "venv/d.py")]))
    assert [file.relative for file in project.asked] == ["b/c.py", "venv/d.py"]
    assert [file.relative for file in project] == ["b/c.py", "venv/d.py", "a.py"]
    assert (len(project), project[2].relative, project[-1:]) == (3, "a.py", (project[2],))


def test_standard_input_takes_the_place_of_the_file_it_is_named_for(tmp_path: Path) -> None:
    put(tmp_path, "a.py", text="old")
    stdin = SourceFile(tmp_path / "a.py", "a.py", b"new")
    search = discovery(tmp_path)
    asked = search.asked([str(tmp_path)], stdin)
    assert asked.files == (stdin,)
    assert list(search.project(asked)) == [stdin]


def test_standard_input_is_left_out_like_a_named_file(tmp_path: Path) -> None:
    stdin = SourceFile(tmp_path / "a.pyi", "a.pyi", b"")
    assert found(put(tmp_path, "b.py"), "b.py", stdin=stdin).skipped[0].reason == "type stub"


def test_the_root_is_the_repository_s_even_from_a_configured_folder(tmp_path: Path) -> None:
    put(tmp_path, ".git/HEAD", "sub/a.py")
    put(tmp_path, "sub/drainlint.toml")
    for path in ("sub/a.py", "sub", "."):
        assert find_root([str(tmp_path / path)], config_in) == tmp_path


def test_without_a_repository_the_root_is_the_nearest_configured_folder(tmp_path: Path) -> None:
    put(tmp_path, "drainlint.toml", "pkg/deep/a.py", "pkg/deep/b.py")
    assert find_root([str(tmp_path / "pkg/deep/a.py")], config_in) == tmp_path


def test_without_either_the_root_is_the_folder_that_holds_all_paths(tmp_path: Path) -> None:
    put(tmp_path, "x/a/b.py", "x/c/d.py")
    paths = [str(tmp_path / "x/a/b.py"), str(tmp_path / "x/c")]
    assert find_root(paths, config_in) == tmp_path / "x"
    assert find_root(paths[:1], config_in) == tmp_path / "x/a"
