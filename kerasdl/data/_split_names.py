"""Which folders are splits (train, Training, test_set), told by name and structure."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

SPLITS = ("train", "valid", "test")

_WORDS = {
    "train": "train|training|trainval|trn|tr",
    "valid": "val|vld|valid|validate|validation|dev|development|holdout",
    "test": "test|testing|tst|te|ts|eval|evaluation",
}
_SUFFIX = "s?(?:set|data|dataset|image|img|photo)?s?"
_ROLES = {split: re.compile(f"(?:{words}){_SUFFIX}") for split, words in _WORDS.items()}
_FILLERS = frozenset(
    {
        "data",
        "dataset",
        "set",
        "sets",
        "split",
        "folder",
        "files",
        "v",
        "image",
        "images",
        "img",
        "imgs",
        "photo",
        "photos",
        "pic",
        "pics",
        "picture",
        "pictures",
        "jpg",
        "jpeg",
        "png",
    }
)
_SHORT = frozenset({"tr", "te", "ts"})  # languages too, where others stand beside them

Tree = dict[str, "Tree"]


def folder_tree(images: Iterable[str]) -> Tree:
    """The folders of `images`, POSIX paths, as dicts of dicts."""
    tree: Tree = {}
    for image in images:
        below = tree
        for part in image.split("/")[:-1]:
            below = below.setdefault(part, {})
    return tree


def split_role(name: str) -> str | None:
    """The split that a usual name of one means, whatever its case and signs.

    "training_set", "Training", "train2017", "train-jpg" and "trn" are "train"; so is
    "dogs_train". None is any other name.
    """
    return _role_and_rest(name)[0]


def find_splits(images: Iterable[str]) -> dict[str, str]:
    """Tell splits from classes among the first folders of `images`, POSIX paths.

    Splits have usual names of splits, and two of three signs: they are of two kinds;
    there are no other folders; one of them holds class folders. So `train` beside
    `car` and `bus` is a class. They may lie in a folder that is alone (`images/train`),
    and so may their class folders (`train/images/cat`). Where there are splits of each
    kind of thing, all are splits: `train_cat`, `train_dog`, `test_cat`, `test_dog`.

    Returns:
        "train", "valid" or "test" by the path of its class folders, or of its photos;
        empty if there are no splits.
    """
    tree, prefix = folder_tree(images), PurePosixPath()
    while len(tree) == 1:
        ((name, below),) = tree.items()
        if split_role(name) or not below:
            break
        tree, prefix = below, prefix / name
    groups = _groups(list(tree))
    for roles in groups:
        places = {name: _inner(name, tree[name]) for name in roles}
        signs = (
            len(set(roles.values())) > 1,
            len(roles) == len(tree),
            any(classes for _, classes in places.values()),
        )
        if sum(signs) > 1:
            return {str(prefix / places[name][0]): roles[name] for name in roles}
    of_each_kind = all(len(set(roles.values())) > 1 for roles in groups)
    if len(groups) > 1 and of_each_kind and _all_named(tree):
        named = {str(prefix / name): split_role(name) for name in tree}
        return {place: role for place, role in named.items() if role}
    return {}


def _groups(names: list[str]) -> list[dict[str, str]]:
    """Splits by folder, of folders whose names are alike but for the split's."""
    are_all = _all_named(names)
    groups: dict[tuple[str, ...], dict[str, str | None]] = {}
    for name in names:
        role, rest = _role_and_rest(name)
        if name.lower() in _SHORT and not are_all:
            role, rest = None, (name,)
        groups.setdefault(rest, {})[name] = role
    found = []
    for rest, roles in groups.items():
        # Beside `validation-pets`, `pets` is for training.
        named = {name: role or "train" for name, role in roles.items() if role or rest}
        if any(roles.values()):
            found.append(named)
    return found


def _all_named(names: Iterable[str]) -> bool:
    """Whether each of `names` is a usual one of a split."""
    return all(map(split_role, names))


def _inner(path: str, tree: Tree) -> tuple[str, Tree]:
    """The folder below `path` that holds more than one folder or no more of them."""
    while len(tree) == 1 and (below := next(iter(tree.values()))):
        path, tree = f"{path}/{next(iter(tree))}", below
    return path, tree


def _role_and_rest(name: str) -> tuple[str | None, tuple[str, ...]]:
    """The split that `name` speaks of, and what else it says."""
    spaced = re.sub("(?<=[a-z])(?=[A-Z])", " ", name)  # TestSet
    roles, rest = [], []
    for word in re.findall(r"[^\W\d_]+", spaced.lower()):
        own = [split for split, words in _ROLES.items() if words.fullmatch(word)]
        roles += own
        if not own and word not in _FILLERS:
            rest.append(word)
    role = None
    if roles and not ("test" in roles and len(set(roles)) > 1):
        role = roles[0]  # "train_val": both are for training
    return role, tuple(rest)
