"""`tf.distribute` for a whole process: its strategy, its chief, what workers share."""

import io
import json
import os
import signal
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdl._checks import check_one_of
from kerasdl._meeting import meet

if TYPE_CHECKING:
    import numpy as np

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
STRATEGIES = ("none", "mirrored", "multi_worker")
# What the others of a job see when a worker dies, by name: TensorFlow is loaded late.
_LOST = ("UnavailableError", "AbortedError", "CancelledError", "DeadlineExceededError")
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def check(strategy: str, deterministic: bool = False) -> None:
    """Raise ValueError unless `strategy` can be used here; loads no TensorFlow."""
    check_one_of("strategy", strategy, STRATEGIES)
    if strategy != "none" and deterministic:
        raise ValueError(
            "`deterministic` must be False with a strategy: sums over devices are in "
            f"no fixed order. Received: deterministic=True, strategy={strategy!r}"
        )
    if strategy == "multi_worker":
        _task()


def use(strategy: str) -> None:
    """Make `strategy` that of all models built from here on in this process.

    "mirrored": all local devices of one kind, `tf.distribute.MirroredStrategy`.
    "multi_worker": every machine that TF_CONFIG names,
    `tf.distribute.MultiWorkerMirroredStrategy`; before TensorFlow's first operation.
    `train.distributed` makes a model train under either. One device alone needs none.

    Raises:
        ValueError: an unknown strategy, or "multi_worker" without a proper TF_CONFIG,
            or with an address in it that something else uses.
        TimeoutError: other machines have not come within half an hour.
    """
    check(strategy)
    if strategy == "none":
        return
    import tensorflow as tf

    if strategy == "multi_worker":
        meet(*_addresses())
        with _default_signals():
            chosen = tf.distribute.MultiWorkerMirroredStrategy()
    else:
        found = tf.config.list_logical_devices("GPU")
        found = found or tf.config.list_logical_devices("CPU")
        chosen = tf.distribute.MirroredStrategy([device.name for device in found])
    if chosen.num_replicas_in_sync > 1:
        tf.distribute.experimental_set_strategy(chosen)


@contextmanager
def _default_signals() -> Iterator[None]:
    """Ctrl-C ends a wait for machines that do not come, SIGTERM what comes after too.

    The wait holds Python's interpreter, so that no handler of its can run; and
    TensorFlow would take every SIGTERM from then on for a warning.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def announce(strategy: str) -> None:
    """Say what trains; the workers but the chief say nothing from here on."""
    if strategy == "none":
        return
    import tensorflow as tf

    count = tf.distribute.get_strategy().num_replicas_in_sync
    alone = ": one alone, as without a strategy" if count == 1 else ""
    print(f"strategy {strategy}: replicas in sync: {count}{alone}")
    if not is_chief():
        sys.stdout = open(os.devnull, "w", encoding="utf-8")


def check_batch_size(batch_size: int) -> None:
    """Raise ValueError unless the devices can share a batch of `batch_size` evenly."""
    count = num_replicas()
    if batch_size % count:
        raise ValueError(
            "`batch_size`, of all devices together, must be a multiple of their "
            f"number. Received: batch_size={batch_size}, {count} devices"
        )


def num_replicas() -> int:
    """Devices that train together; 1 without a strategy. Loads no TensorFlow."""
    tf = sys.modules.get("tensorflow")
    return tf.distribute.get_strategy().num_replicas_in_sync if tf else 1


def is_multi_worker() -> bool:
    """Whether this process is one of several that train together."""
    tf = sys.modules.get("tensorflow")
    if tf is None:
        return False
    multi_worker = tf.distribute.MultiWorkerMirroredStrategy
    return isinstance(tf.distribute.get_strategy(), multi_worker)


def is_chief() -> bool:
    """Whether this process writes the files: alone, or the first of a job."""
    return not is_multi_worker() or is_first_task()


def is_first_task() -> bool:
    """Whether TF_CONFIG makes this process the chief; loads no TensorFlow.

    Raises:
        ValueError: without a proper TF_CONFIG.
    """
    kind, index = _task()
    return kind == "chief" or (index == 0 and not _cluster().get("chief"))


def share_folder(folder: Path) -> None:
    """Give the files in the chief's `folder` to that of every other worker."""
    buffer = io.BytesIO()
    if is_chief():
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.add(folder, arcname=".")
    content = from_chief(buffer.getvalue())
    if not is_chief():
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            tar.extractall(folder, filter="data")


def from_chief(content: bytes) -> bytes:
    """The chief's `content`, on all workers, which all must ask for it."""
    import numpy as np

    # A sum, to which the others add zeros.
    words = np.frombuffer(content + bytes(-len(content) % 4), np.int32)
    length = int(_sum(np.array([len(content) if is_chief() else 0], np.int64))[0])
    if not length:  # a sum of nothing ends TensorFlow with a signal
        return b""
    if not is_chief():
        words = np.zeros(-(-length // 4), np.int32)
    return _sum(words).tobytes()[:length]


def leave_together() -> None:
    """Wait for all workers, as one that leaves ends the others that are at work.

    The chief, whose files are complete then, does not mind if another is lost.
    """
    if not is_multi_worker():
        return
    import numpy as np

    try:
        _sum(np.zeros(1, np.int32))
    except Exception as error:
        if not (is_chief() and lost_worker(error)):
            raise


def check_same(name: str, value: Any) -> None:
    """Raise ValueError unless `value`, as JSON, is that of the chief.

    All workers must ask. The chief goes on: that another one stopped it soon sees.
    """
    if not is_multi_worker():
        return
    own = json.dumps(value, sort_keys=True)
    chief = from_chief(own.encode()).decode()
    if own != chief:
        raise ValueError(
            f"`{name}` must be the same on all machines. Received: {name}={own}, that "
            f"of the first machine being {chief}"
        )


def _sum(values: "np.ndarray") -> "np.ndarray":
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()

    @tf.function
    def summed(own: tf.Tensor) -> tf.Tensor:
        def of_replica() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            # Of the devices of one process, the first speaks.
            local = strategy.num_replicas_in_sync // num_workers()
            first = context.replica_id_in_sync_group % local == 0
            return context.all_reduce("SUM", tf.where(first, own, tf.zeros_like(own)))

        return strategy.experimental_local_results(strategy.run(of_replica))[0]

    return summed(tf.constant(values)).numpy()


def num_workers() -> int:
    """Processes that train together."""
    if not is_multi_worker():
        return 1
    return sum(len(_cluster().get(kind, ())) for kind in ("chief", "worker"))


def lost_worker(error: BaseException) -> str | None:
    """What to tell the user if `error` means that another worker is gone."""
    if not is_multi_worker() or type(error).__name__ not in _LOST:
        return None
    return (
        f"another worker of this job is gone ({type(error).__name__}); its last line "
        "may say why. Start all of them again: with --resume, where work was kept."
    )


def _task() -> tuple[str, int]:
    """Type and index of this process in TF_CONFIG."""
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        kind, index = config["task"]["type"], int(config["task"]["index"])
        cluster = config["cluster"]
        known = kind in ("chief", "worker") and 0 <= index < len(cluster[kind])
        addresses = [*cluster.get("chief", ()), *cluster.get("worker", ())]
        ports = [int(address.rpartition(":")[2]) for address in addresses]
        known = known and all(0 < port < 1 << 16 for port in ports)
        known = known and len({*addresses}) == len(addresses)
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise ValueError(
            "`strategy` 'multi_worker' needs the environment variable TF_CONFIG, the "
            f"same in all processes but for the task: {_EXAMPLE}. Received: "
            f"TF_CONFIG={text!r}"
        )
    return kind, index


def _addresses() -> tuple[list[str], int]:
    """Addresses of all processes of TF_CONFIG, the chief's first, and the own place."""
    kind, index = _task()
    jobs = {name: list(_cluster().get(name, ())) for name in ("chief", "worker")}
    before = len(jobs["chief"]) if kind == "worker" else 0
    return [*jobs["chief"], *jobs["worker"]], before + index


def _cluster() -> dict[str, Any]:
    return json.loads(os.environ["TF_CONFIG"])["cluster"]
