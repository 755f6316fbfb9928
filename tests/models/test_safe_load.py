"""Files as an attacker would write them, made by hand."""

import io
import json
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.models import load_model


def write(path, model=None, edit=None, more=()):
    """A `.keras` file whose configuration is edited, with further entries."""
    model = model or keras.Sequential(
        [keras.Input((4,)), layers.Dense(2, activation="relu", name="dense")]
    )
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    if edit:
        config = json.loads(entries["config.json"])
        entries["config.json"] = json.dumps(edit(config)).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in [*entries.items(), *more]:
            archive.writestr(name, content)
    return path


def with_layer(**parts):
    """An edit that puts other parts into the dense layer."""

    def edit(config):
        config["config"]["layers"][1].update(parts)
        return config

    return edit


def with_units(config, units):
    config["config"]["layers"][1]["config"]["units"] = units
    return config


def with_activation(value):
    def edit(config):
        config["config"]["layers"][1]["config"]["activation"] = value
        return config

    return edit


def test_a_good_file_is_loaded_and_not_compiled(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.compile("adam", "mse")
    path = write(tmp_path / "model.keras", model)
    loaded = load_model(path)
    assert not loaded.compiled
    inputs = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (with_layer(class_name="Lambda", module="keras.layers"), r"'dense' \(Lambda\)"),
        (with_layer(class_name="TFSMLayer", module="keras.layers"), "TFSMLayer"),
        (with_layer(class_name="system", module="os"), r"'dense' \(system\)"),
        (with_layer(module="keras_evil.layers"), r"'dense' \(Dense\)"),
        (with_layer(class_name=["Dense"]), r"'dense' \(a class named \['Dense'\]\)"),
        (with_layer(class_name={"a": 1}), "a class named"),
        (
            with_activation(
                {
                    "class_name": "function",
                    "config": "get_file",
                    "module": "keras.utils",
                }
            ),
            "get_file",
        ),
        (with_activation({"class_name": "__lambda__", "config": {}}), "__lambda__"),
        (with_activation({"code": "4w=="}), "a lambda as activation"),
    ],
)
def test_code_and_foreign_classes_are_refused_by_name(edit, named, tmp_path):
    path = write(tmp_path / "model.keras", edit=edit)
    with pytest.raises(ValueError, match=f"nothing but Keras's own .*{named}"):
        load_model(path)


def test_how_an_inner_model_was_compiled_is_looked_at(tmp_path):
    """Keras reads it, though not that of the whole model."""
    compiled = {
        "compile_config": {"loss": {"module": "elsewhere", "class_name": "Loss"}}
    }

    def inner(config):
        layer = {"module": "keras", "class_name": "Sequential", **compiled}
        config["config"]["layers"].append(layer | {"config": {"name": "inner"}})
        return config

    assert load_model(write(tmp_path / "a.keras", edit=lambda c: c | compiled))
    with pytest.raises(ValueError, match=r"layer 'inner' \(Loss\)"):
        load_model(write(tmp_path / "b.keras", edit=inner))


def test_another_suffix_is_refused(tmp_path):
    """By its suffix Keras would read HDF5, whatever zip archive follows in the file."""
    path = write(tmp_path / "model.keras").rename(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="must be an existing .keras file"):
        load_model(path)


def test_a_real_lambda_is_refused(tmp_path):
    ran = []
    model = keras.Sequential(
        [keras.Input((4,)), layers.Lambda(lambda x: ran.append(1) or x, name="mine")]
    )
    path = write(tmp_path / "model.keras", model)
    ran.clear()
    with pytest.raises(ValueError, match=r"layer 'mine' \(Lambda\)"):
        load_model(path)
    assert ran == []


@pytest.mark.parametrize(
    "name", ["../../evil.py", "/etc/evil", "C:\\evil", "a/../../b"]
)
def test_names_that_lead_out_are_refused(name, tmp_path):
    path = write(tmp_path / "model.keras", more=[(name, b"x")])
    with pytest.raises(ValueError, match="must hold files of its own only"):
        load_model(path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path):
    path = tmp_path / "model.keras"
    write(path)
    size = path.stat().st_size
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(20 * size))
    assert path.stat().st_size < 1.1 * size
    with pytest.raises(
        ValueError, match=r"unpack to at most 1,000 .* declares \d+,\d.*`max_bytes`"
    ):
        load_model(path, max_bytes=1_000)
    assert load_model(path).count_params() == 10
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/more", bytes(20 * size))
    with pytest.raises(ValueError, match="unpack to at most 32 times its own size"):
        load_model(path)


def test_a_configuration_of_gigabytes_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", bytes(17 * 2**20))
        archive.writestr("assets", np.random.default_rng(0).bytes(2**20))

    def read(*_):
        raise AssertionError("unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "read", read)
    with pytest.raises(ValueError, match="config.json of at most 16,777,216 bytes"):
        load_model(path)


def archive_of(**entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("_", "."), content)
    return file.getvalue()


def with_bytes(archive, offset, content):
    """`archive`, of one file, with other bytes in both of its headers."""
    archive = bytearray(archive)
    for start in (0, archive.index(b"PK\x01\x02") + 2):
        archive[start + offset : start + offset + len(content)] = content
    return bytes(archive)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        archive_of(metadata_json="{}"),
        archive_of(config_json="{"),
        archive_of(config_json="[" * 100_000),
        *(archive_of(config_json=text) for text in ("[]", '"x"', "null", "3")),
        with_bytes(archive_of(config_json="{}"), 6, b"\x01"),  # encrypted
        with_bytes(archive_of(config_json="{}"), 8, b"\x63"),  # of unknown compression
        with_bytes(archive_of(config_json="{}"), 8, b"\x08"),  # not deflated
    ],
)
def test_what_is_no_keras_file(content, tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="`path` must be a .keras file. Received"):
        load_model(path)


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.9])
def test_a_file_with_a_wrong_bit_is_named(place, tmp_path):
    model = keras.Sequential([keras.Input((200,)), layers.Dense(200)])
    path = write(tmp_path / "model.keras", model)
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 16
    path.write_bytes(content)
    with pytest.raises(ValueError, match="must be a .keras file.*model.keras"):
        load_model(path)


def test_more_weights_than_the_file_holds_are_not_made(tmp_path):
    """Four by 2**40 numbers would be 16 TB."""
    path = write(
        tmp_path / "model.keras",
        edit=lambda config: with_units(config, 2**40),
    )
    with pytest.raises(ValueError, match=r"have 5,497,558,138,880 weights, it has 10"):
        load_model(path)


def test_no_file(tmp_path):
    with pytest.raises(ValueError, match="`path` must be an existing .keras file"):
        load_model(tmp_path / "model.keras")
