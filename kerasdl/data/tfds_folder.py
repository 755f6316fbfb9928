"""A dataset of tensorflow-datasets as a folder of image files."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kerasdl._atomic import write_json
from kerasdl._atomic_folder import claimed, new_folder
from kerasdl._progress import show_progress

from ._decode import SUFFIX_FORMATS, ImageError, image_format

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

MANIFEST = ".tfds.json"
# What tensorflow-datasets calls its splits, and what `ImageData.from_folder` does.
SPLIT_FOLDERS = {
    "train": "train",
    "validation": "valid",
    "valid": "valid",
    "val": "valid",
    "test": "test",
}
HELD_OUT = 5  # one of so many training images of a class
PROBE_SECONDS = 5
_CATALOGUE = "See https://www.tensorflow.org/datasets/catalog."
_FILE_NAME_FEATURES = ("image/filename", "file_name", "filename")
# ".jpg" stands before ".jpeg" and is kept.
_SUFFIXES = {kind: suffix for suffix, kind in reversed(SUFFIX_FORMATS.items())}


def tfds_folder(
    name: str, directory: str | Path, data_dir: str | Path | None = None
) -> Path:
    """Write the images of a dataset of tensorflow-datasets, one folder per class.

    A dataset with one split becomes `directory/<class>/<image>`. One with several
    becomes `directory/<split>/<class>/<image>`, the splits named train, valid and test
    (others are left out); if it has no validation split, every fifth training image
    of each class goes to valid. So it is what `ImageData.from_folder` reads. Images
    without a label are left out.

    Files hold the bytes the dataset stores, not encoded again. Their names begin with
    the number of the example in its split and end with the original name, if the
    dataset knows it: `00012_dog.7.jpg`.

    The folder appears whole or not at all; one that holds this dataset already is
    left as it is. What tensorflow-datasets has prepared before is used without
    network. A download is announced with its size and hosts, and given up within
    seconds when none of them answers.

    Args:
        name: dataset, with configuration and version if wanted: "cats_vs_dogs",
            "imagenette/160px".
        directory: folder to make.
        data_dir: folder where tensorflow-datasets keeps its downloads and datasets;
            None takes its own default, `$TFDS_DATA_DIR` or `~/tensorflow_datasets`.

    Returns:
        `directory`.

    Raises:
        ValueError: an unknown name, a dataset of something else than images with one
            label each, one that cannot be downloaded, or a `directory` that exists and
            is something else. Nothing has been written to `directory`.
    """
    directory = Path(directory)
    if _holds(directory, name):
        return directory
    builder = _find(name, data_dir)
    features = _image_and_label(builder, name)
    _prepare(builder, name)
    folders = _split_folders(list(builder.info.splits), name)

    with claimed(directory, "directory", wait=True):
        if _holds(directory, name):  # another process was first
            return directory
        with new_folder(directory) as beside:
            counts = _write_images(builder, folders, features, beside)
            write_json(beside / MANIFEST, {"name": name, "images": counts})
    images = ", ".join(f"{count} {split}".strip() for split, count in counts.items())
    print(f"{directory}: {images} images of {builder.info.full_name}")
    return directory


def _holds(directory: Path, name: str) -> bool:
    """Whether `directory` is dataset `name`; ValueError if it is something else."""
    if not os.path.lexists(directory):
        return False
    try:
        found = json.loads((directory / MANIFEST).read_text())["name"]
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if found != name:
        raise ValueError(
            f"`directory` must not exist, or hold the dataset {name!r}. Received: "
            f"directory={str(directory)!r}. Pass another one, or remove it."
        )
    return True


def _find(name: str, data_dir: str | Path | None) -> "tfds.core.DatasetBuilder":
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir)
    except (ValueError, AssertionError) as error:
        known = tfds.list_builders(with_community_datasets=False)
        dataset = re.split("[/:]", name)[0]
        if dataset in known:
            configs = tfds.builder_cls(dataset).builder_configs
            known = [dataset, *(f"{dataset}/{config}" for config in configs)]
        close = ", ".join(map(repr, get_close_matches(name, known, n=5)))
        advice = f"Close to it: {close}." if close else _CATALOGUE
        raise ValueError(
            "`name` must be a dataset of tensorflow-datasets. Received: "
            f"name={name!r}. {advice}"
        ) from error


def _image_and_label(
    builder: "tfds.core.DatasetBuilder", name: str
) -> tuple[str, str, str | None]:
    """The features that are the image, its class and, if there is one, its file."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    keys = builder.info.supervised_keys or ("image", "label")
    kinds = [type(features[key]) for key in keys if str(key) in features]
    if kinds != [tfds.features.Image, tfds.features.ClassLabel]:
        raise ValueError(
            "`name` must be a dataset of images with one label each. Received: "
            f"name={name!r} (features {', '.join(features)})"
        )
    file_name = next((key for key in _FILE_NAME_FEATURES if key in features), None)
    image, label = keys
    return image, label, file_name


def _prepare(builder: "tfds.core.DatasetBuilder", name: str) -> None:
    """Download and prepare the dataset, unless tensorflow-datasets has it."""
    import tensorflow_datasets as tfds

    if builder.data_path.exists():
        return
    missing = _missing_downloads(builder)
    if missing:
        hosts = ", ".join(sorted({urlsplit(url).netloc for url in missing}))
        size = sum(info.size for info in missing.values()) / 1e6
        most = "up to " if builder.builder_configs else ""  # other configurations' too
        print(
            f"{builder.info.full_name}: downloading {most}{size:,.1f} MB from {hosts} "
            f"to {builder.data_dir_root}"
        )
    try:
        _check_answers(missing)
        builder.download_and_prepare()
    except (OSError, AssertionError, tfds.download.DownloadError) as error:
        # An assertion is how tfds asks for files that have to be fetched by hand.
        files = ", ".join(info.filename for info in missing.values() if info.filename)
        raise ValueError(
            "`name` must be a dataset that tensorflow-datasets has prepared or can "
            f"download. Received: name={name!r} (not in {builder.data_dir_root}; "
            f"{error}). Connect to the network, put {files or 'its files'} into "
            f"{builder.data_dir_root / 'downloads' / 'manual'}, or take other images: "
            "--data DIR or --data sample."
        ) from error


def _missing_downloads(builder: "tfds.core.DatasetBuilder") -> dict[str, Any]:
    """Size and file name, by URL, of registered downloads that are not on disk."""
    from tensorflow_datasets.core.download.resource import get_dl_fname

    downloads = Path(builder.data_dir_root) / "downloads"
    missing = {}
    for url, info in (builder.url_infos or {}).items():
        file = get_dl_fname(url, info.checksum)
        places = (f"{builder.name}/{file}", file, f"manual/{info.filename}")
        if not any((downloads / place).exists() for place in places):
            missing[url] = info
    return missing


def _check_answers(urls: Iterable[str]) -> None:
    """Raise ConnectionError if there are hosts and none can be reached.

    tensorflow-datasets itself tries each for minutes before it says so.
    """
    import requests  # what tensorflow-datasets downloads with: the same proxies

    by_host = {urlsplit(url).netloc: url for url in urls if url.startswith("http")}
    failure = None
    for url in by_host.values():
        try:
            requests.head(url, timeout=PROBE_SECONDS)
            return
        except requests.RequestException as error:
            failure = error
    if failure:
        raise ConnectionError(f"no answer from {', '.join(by_host)}") from failure


def _split_folders(splits: Sequence[str], name: str) -> dict[str, str]:
    """The folder of each split; "" for one that is alone."""
    known = [split for split in splits if split in SPLIT_FOLDERS] or splits
    if len(known) == 1:
        return {known[0]: ""}
    if "train" not in known:
        raise ValueError(
            "`name` must be a dataset with a train split, or with one split alone. "
            f"Received: name={name!r} (splits {', '.join(splits)})"
        )
    return {split: SPLIT_FOLDERS[split] for split in known}


def _write_images(
    builder: "tfds.core.DatasetBuilder",
    folders: dict[str, str],
    features: tuple[str, str, str | None],
    directory: Path,
) -> dict[str, int]:
    """Write the images of each split; return their number by folder."""
    class_names = [_safe(name) for name in builder.info.features[features[1]].names]
    hold_out = "train" in folders.values() and "valid" not in folders.values()
    counts = Counter()
    for split, folder in folders.items():
        of_class = Counter()
        for file, label, content in _examples(builder, split, features):
            of_class[label] += 1
            is_held_out = (
                hold_out and folder == "train" and of_class[label] % HELD_OUT == 0
            )
            part = "valid" if is_held_out else folder
            path = directory / part / class_names[label] / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            counts[part] += 1
    return dict(counts)


def _examples(
    builder: "tfds.core.DatasetBuilder",
    split: str,
    features: tuple[str, str, str | None],
) -> Iterator[tuple[str, int, bytes]]:
    """File name, class index and encoded image of each labelled example of `split`."""
    import tensorflow_datasets as tfds

    image, label, file_name = features
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=tfds.decode.PartialDecoding(
            {feature: True for feature in features if feature},
            decoders={image: tfds.decode.SkipDecoding()},
        ),
        read_config=tfds.ReadConfig(try_autocache=False),
    )
    total = builder.info.splits[split].num_examples
    digits = len(str(total - 1))
    examples = show_progress(tfds.as_numpy(dataset), total, split)
    for index, example in enumerate(examples):
        if example[label] < 0:  # unlabelled
            continue
        parts = [f"{index:0{digits}}"]
        if file_name:
            original = example[file_name].decode(errors="replace").replace("\\", "/")
            parts.append(_safe(PurePosixPath(original).stem)[:60])
        suffix = _suffix(example[image])
        yield "_".join(parts) + suffix, int(example[label]), example[image]


def _suffix(content: bytes) -> str:
    try:
        return _SUFFIXES[image_format(content, "")]
    except ImageError:
        return ".jpg"  # where `check_images` finds and names it


def _safe(name: str) -> str:
    """`name` as one part of a path, on any system."""
    return re.sub(r'[\x00-\x1f\\/:*?"<>|]', "_", name)
