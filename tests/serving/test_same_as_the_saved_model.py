"""What the server says of itself is what the exported SavedModel says."""

import pytest
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2

from kerasdl.export import save_saved_model
from kerasdl.serving import rest_api


@pytest.fixture(scope="module")
def signatures(colours, tmp_path_factory):
    """The signatures in the file, as JSON, which TensorFlow Serving answers with."""
    path = tmp_path_factory.mktemp("exported") / "saved_model"
    save_saved_model(colours.model(), path, colours.NAMES)
    saved = saved_model_pb2.SavedModel.FromString(
        (path / "saved_model.pb").read_bytes()
    )
    found = saved.meta_graphs[0].signature_def
    return {
        name: json_format.MessageToDict(found[name], preserving_proto_field_name=True)
        for name in ("serve", "serve_bytes")
    }


@pytest.mark.parametrize("name", ["serve", "serve_bytes"])
def test_signatures_are_those_of_the_saved_model(name, signatures, colours):
    size = (colours.SIZE, colours.SIZE)
    said = rest_api.metadata("colours", size, len(colours.NAMES))
    said = said["metadata"]["signature_def"]["signature_def"][name]
    for side in ("inputs", "outputs"):
        assert said[side].keys() == signatures[name][side].keys()
        for key, tensor in signatures[name][side].items():
            assert said[side][key]["dtype"] == tensor["dtype"]
            sides = [dim["size"] for dim in tensor["tensor_shape"]["dim"]]
            said_sides = said[side][key]["tensor_shape"]["dim"]
            assert [dim["size"] for dim in said_sides] == sides
    assert said["method_name"] == signatures[name]["method_name"]
