"""Digits from tensors: each stage of the way to `fit` has the losses of the first."""

import pytest

STAGES = 5  # after the first


@pytest.fixture(scope="module")
def tour(take_tour):
    return take_tour("mnist_from_tensors", "--epochs", "2")[1]


def test_the_losses_agree_at_every_stage(tour):
    shown = tour["line_by_line"]
    differences = shown["_farthest(stage, by_hand)"]
    assert len(differences) == STAGES
    for stage in differences:
        assert list(stage) == ["logistic", "hidden layer"]
        assert max(stage.values()) < 1e-5
    first_and_last = next(iter(shown.values()))
    for first, last in first_and_last.values():
        assert last < 0.8 * first
    *_, accuracy = shown.values()
    assert min(accuracy.values()) > 0.6


def test_a_step_by_hand(tour):
    shown = tour["one_step"]
    assert float(
        shown["tf.reduce_max(tf.abs(of_kernel - tf.transpose(xb) @ error))"]
    ) < (1e-12)
    assert list(shown.values())[-1]  # the loss fell


def test_a_perceptron_learns_and_and_or_and_no_xor(tour):
    answers, by_two_layers, _ = tour["perceptron"].values()
    assert answers["AND"].tolist() == [0, 0, 0, 1]
    assert answers["OR"].tolist() == [0, 1, 1, 1]
    assert answers["XOR"].tolist() != [0, 1, 1, 0]
    assert by_two_layers.tolist() == [0, 1, 1, 0]


def test_mnist_by_its_files(take_tour, tmp_path, write_digits):
    write_digits(tmp_path, train=6000, test=100)
    argv = ["--data", str(tmp_path), "--quick", "--section", "images"]
    shown = take_tour("mnist_from_tensors", *argv)[1]["images"]
    sizes = next(iter(shown.values()))
    assert sizes == {"train": (5000, 784), "labels": (5000,), "valid": (100, 784)}


def test_bad_input_leaves_no_folder(recipes_path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    import runpy

    main = runpy.run_path(str(recipes_path / "mnist_from_tensors.py"))["main"]
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        main(["--data", str(tmp_path / "nothing")])
    assert not list(tmp_path.iterdir())
