"""What opens and closes a run."""

import shlex

import pytest

from kerasdl import runs, strategies, workbench


def parse(tmp_path, *argv):
    parser = workbench.RecipeParser("A recipe.")
    workbench.add_photo_arguments(parser)
    argv = ["--out", str(tmp_path / "run"), "--cache", str(tmp_path / "cache"), *argv]
    return parser.parse_run(argv, "name")


def test_what_a_kill_needs_goes_at_the_end_and_the_last_words_come(tmp_path, capsys):
    args = parse(tmp_path, "--seed", "3")
    with workbench.training_run(args, "{out}/ holds all") as run:
        for folder in (run.path, run.path / "one"):
            (folder / workbench.STATE).mkdir(parents=True)
        (run.path / "kept.txt").write_text("kept")
        assert run.seed == 3
    assert sorted(path.name for path in args.out.rglob("*")) == [
        "kept.txt",
        "manifest.json",
        "one",
    ]
    assert capsys.readouterr().out.endswith(f"\n{args.out}/ holds all\n")


def test_a_cut_run_keeps_its_state_and_goes_on(tmp_path, capsys):
    def main():
        with workbench.training_run(parse(tmp_path, "--batch-size", "8")) as run:
            (run.path / workbench.STATE).mkdir()
            seeds.append(run.seed)
            raise KeyboardInterrupt

    seeds = []
    with pytest.raises(SystemExit) as stopped, workbench.called_by_command("serve"):
        workbench.run_recipe(main)
    assert stopped.value.code == 130
    assert (tmp_path / "run.partial" / workbench.STATE).is_dir()
    output = capsys.readouterr()
    assert "predict.py" not in output.out
    said, line = output.err.split("; to go on: ")
    assert said == f"interrupted: kept {tmp_path / 'run.partial'}"
    command, of, *words = shlex.split(line)
    assert [command, of] == ["kerasdl", "serve"]
    with workbench.training_run(parse(tmp_path, *words)) as again:
        assert again.resumed
        assert [again.seed] == seeds
    assert f"python recipes/predict.py {tmp_path / 'run'} PHOTO" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("option", ["--resume", "--overwrite"])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(28, "full"), ValueError("x"), KeyError("y")]
)
def test_an_error_says_how_this_recipe_goes_on(tmp_path, capsys, error, option):
    def main():
        parser = workbench.RecipeParser("A recipe.")
        parser.add_argument(option, action="store_true", help="of this recipe alone")
        parser.parse_args([])
        with runs.run_folder(tmp_path / "run", {}, seed=1) as run:
            (run.path / "a.txt").write_text("work")
            raise type(error)(*error.args)

    with pytest.raises((SystemExit, KeyError)) as stopped:
        workbench.run_recipe(main)
    said = capsys.readouterr().err
    if not said:
        (said,) = stopped.value.__notes__
    how = {"--resume": "to go on", "--overwrite": "to start anew"}[option]
    line = f"kept {tmp_path / 'run.partial'}; {how}: "
    assert said.count("kept") == 1 and line in said
    assert said.rstrip().endswith(f" {option}")


def test_what_the_check_finds_leaves_all_as_it_was(tmp_path):
    def check(args):
        raise ValueError(f"resize={args.resize}")

    (tmp_path / "run.partial").mkdir()
    (tmp_path / "run.partial" / "work").touch()
    with pytest.raises(ValueError, match="resize=squash"):
        with workbench.training_run(parse(tmp_path, "--overwrite"), check=check):
            pass
    assert (tmp_path / "run.partial" / "work").exists()


def test_of_several_machines_one_speaks(tmp_path, monkeypatch, capsys):
    """The folder of the others is a temporary one, and `out` is not theirs."""
    out = tmp_path / "run"
    (out / workbench.STATE).mkdir(parents=True)
    manifest = {"arguments": workbench.recorded(parse(tmp_path)), "seed": 1}
    manifest = runs._plain(manifest | {"results": {}})
    monkeypatch.setattr(strategies, "is_chief", lambda: False)
    monkeypatch.setattr(strategies, "leave_together", lambda: None)

    def share(folder):
        runs.Run(folder, out, 1, manifest, resumed=False).save_manifest()

    monkeypatch.setattr(strategies, "share_folder", share)
    with workbench.training_run(parse(tmp_path)) as run:
        assert not run.is_chief
    assert capsys.readouterr().out == ""
    assert (out / workbench.STATE).is_dir()


def test_clearing_the_cache_ends_the_process_before_any_work(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        with workbench.training_run(parse(tmp_path, "--clear-cache")):
            raise AssertionError("it must not begin")
    assert not stopped.value.code
    assert capsys.readouterr().out == "removed 0 MB of cached activations\n"
    assert not (tmp_path / "run.partial").exists()
