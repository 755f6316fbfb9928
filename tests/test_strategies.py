import json
import signal

import keras
import pytest
import tensorflow as tf

from kerasdl import strategies
from kerasdl.data import share_of, shares
from kerasdl.train import distributed, on_one_device, without_strategy
from kerasdl.workbench import exit_codes


@pytest.mark.parametrize(
    "config",
    [
        None,
        "{",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"ps": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_multi_worker_needs_a_proper_tf_config(config, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(
        ValueError, match='needs the environment variable TF_CONFIG.*"c'
    ):
        strategies.check("multi_worker")


@pytest.mark.parametrize(
    "addresses",
    [
        ["a:99999", "b:1"],
        ["a:-1", "b:1"],
        ["a:0", "b:1"],  # no such ports
        ["a:1", "a:1"],
        [2222, 2223],
        ["a", "b:1"],
        None,
    ],
)
@pytest.mark.parametrize("job", ["worker", "chief"])
def test_addresses_that_cannot_be(job, addresses, monkeypatch):
    cluster = {"worker": ["c:1"], job: addresses}
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    with pytest.raises(ValueError, match="needs the environment variable TF_CONFIG"):
        strategies.check("multi_worker")


def test_a_proper_tf_config_is_taken(monkeypatch):
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    strategies.check("multi_worker")


def test_arguments_that_do_not_go_together():
    with pytest.raises(ValueError, match="`strategy` must be one of"):
        strategies.check("tpu")
    with pytest.raises(ValueError, match="`deterministic` must be False with a str"):
        strategies.check("mirrored", deterministic=True)


def test_a_batch_that_devices_cannot_share_evenly(monkeypatch):
    monkeypatch.setattr(strategies, "num_replicas", lambda: 3)
    strategies.check_batch_size(6)
    with pytest.raises(ValueError, match="multiple of their number.*batch_size=8, 3"):
        strategies.check_batch_size(8)


def test_without_a_strategy_nothing_changes():
    assert strategies.num_replicas() == strategies.num_workers() == 1
    assert strategies.is_chief() and not strategies.is_multi_worker()
    assert strategies.lost_worker(ValueError()) is None
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert distributed(model) is model and "fit" not in vars(model)
    with on_one_device(model) as same:
        assert same is model


def test_within_a_scope_nothing_can_predict():
    scope = tf.distribute.MirroredStrategy(["CPU:0"]).scope()
    with scope, pytest.raises(ValueError, match="must be outside of `with strategy"):
        with without_strategy():
            pass


def test_signals_are_as_before_while_machines_are_waited_for():
    def mine(*_):
        pass

    before = signal.signal(signal.SIGTERM, mine)
    with strategies._default_signals():
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as TensorFlow takes it
    assert signal.signal(signal.SIGTERM, before) is mine
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_a_lost_worker_is_told_and_its_exit_code_says_try_again(monkeypatch, capsys):
    codes = []
    monkeypatch.setattr(strategies, "is_multi_worker", lambda: True)
    monkeypatch.setattr(exit_codes.os, "_exit", codes.append)

    def fails():
        raise tf.errors.UnavailableError(None, None, "Socket closed")

    with pytest.raises(tf.errors.UnavailableError):
        exit_codes.run_recipe(fails)
    assert codes == [75]
    assert "another worker of this job is gone" in capsys.readouterr().err


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8])
def test_shares_are_all_rows_once(count):
    rows = [row for i in range(3) for row in range(count)[share_of(count, i, 3)]]
    assert rows == list(range(count))


def test_shares_of_any_dataset():
    """Batches of 4 and 1: the last is no two shares, and counts once."""
    dataset = tf.data.Dataset.range(5).map(lambda x: (x, -x)).batch(4)
    cut = shares(dataset, [0, 1], 2)
    assert int(cut.cardinality()) == 4
    seen = [(batch[0].numpy().tolist(), int(rows)) for batch, rows in cut]
    assert seen == [([0, 1], 2), ([2, 3], 2), ([4], 1), ([4], 0)]
