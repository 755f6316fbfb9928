"""The JSON of TensorFlow Serving's REST API.

What is answered here is answered alike by TensorFlow Serving with the run's SavedModel,
but for image files: that reads JPEG and PNG alone, and does not turn them by EXIF data.

Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

import json
from typing import Any, NamedTuple, NoReturn

import numpy as np
from starlette.exceptions import HTTPException

from .images import from_base64
from .pixels_json import PixelsDecoder

VERSION = "1"
DEFAULT_SIGNATURE = "serving_default"
# Each signature's input: its name, TensorFlow Serving's name of its type.
_INPUTS = {"serve": ("pixels", "DT_UINT8"), "serve_bytes": ("images", "DT_STRING")}
# By the key of what a client sends, that of the answer.
ANSWERS = {"instances": "predictions", "inputs": "outputs"}
_SHOWN = 80  # characters of what a client sent, in an error message


class Sent(NamedTuple):
    """What a client asks a model.

    Attributes:
        key: "instances" or "inputs".
        pictures: each uint8 `(*image_size, 3)`; none of them where files were sent.
        files: the bytes of image files; none of them where pictures were sent.
    """

    key: str
    pictures: list[np.ndarray]
    files: list[bytes]


def status() -> dict[str, Any]:
    """The answer to GET `/v1/models/NAME`: one version, available."""
    state = {
        "version": VERSION,
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    return {"model_version_status": [state]}


def metadata(
    name: str, image_size: tuple[int, int], num_outputs: int
) -> dict[str, Any]:
    """The answer to GET `/v1/models/NAME/metadata`: the signatures."""
    shapes = {"serve": (-1, *image_size, 3), "serve_bytes": (-1,)}
    signatures = {}
    for signature, (taken, dtype) in _INPUTS.items():
        outputs = _tensor("DT_FLOAT", (-1, num_outputs), "StatefulPartitionedCall:0")
        signatures[signature] = {
            "inputs": {
                taken: _tensor(dtype, shapes[signature], f"{signature}_{taken}:0")
            },
            "outputs": {"probabilities": outputs},
            "method_name": "tensorflow/serving/predict",
            "defaults": {},
        }
    signatures[DEFAULT_SIGNATURE] = signatures["serve"]
    return {
        "model_spec": {"name": name, "signature_name": "", "version": VERSION},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


def _tensor(dtype: str, shape: tuple[int, ...], name: str) -> dict[str, Any]:
    dim = [{"size": str(size), "name": ""} for size in shape]
    return {
        "dtype": dtype,
        "tensor_shape": {"dim": dim, "unknown_rank": False},
        "name": name,
    }


def check_verb(verb: str) -> None:
    """Refuse what a POST asks of a model but `:predict`.

    Raises:
        HTTPException: 501 for what TensorFlow Serving has, 404 for anything else.
    """
    if verb in ("classify", "regress"):
        text = f":{verb} takes tf.Example, and the model has no such signature"
        raise HTTPException(501, f"{text}; :predict takes instances as JSON")
    if verb != "predict":
        raise HTTPException(404, "a model answers to :predict alone")


def read_predict(body: bytes, image_size: tuple[int, int], max_images: int) -> Sent:
    """Read the body of POST `/v1/models/NAME:predict`.

    Args:
        body: JSON with `instances` or `inputs`, and `signature_name`: `serve` (also
            when left out) takes nested lists of pixels, `serve_bytes` image files in
            Base64.
        image_size: `(height, width)` of the model.
        max_images: of a request.

    Raises:
        HTTPException: 400 for anything else, 413 for what is too much.
    """
    request = _json_object(body, PixelsDecoder(image_size, max_images))
    signature = request.get("signature_name") or DEFAULT_SIGNATURE
    if signature == DEFAULT_SIGNATURE:
        signature = "serve"
    if not isinstance(signature, str) or signature not in _INPUTS:
        names = ", ".join([DEFAULT_SIGNATURE, *_INPUTS])
        _refuse(f"signature_name must be one of {names}", signature)
    keys = [key for key in ANSWERS if key in request]
    if len(keys) != 1:
        raise HTTPException(400, "the body must have instances or inputs, not both")
    (key,) = keys
    images = request[key]
    taken, _ = _INPUTS[signature]
    if key == "inputs" and isinstance(images, dict):
        images = _named(images, taken)
    if not isinstance(images, list) or not images:
        _refuse(f"{key} must be a list of at least one image", images)
    if len(images) > max_images:
        raise HTTPException(413, f"{key} must be at most {max_images} images")
    sent = Sent(key, [], [])
    for number, image in enumerate(images):
        try:
            if key == "instances" and isinstance(image, dict) and "b64" not in image:
                image = _named(image, taken)
            if signature == "serve":
                sent.pictures.append(_pixels(image, image_size))
            else:
                sent.files.append(from_base64(image))
        except HTTPException as error:
            where = f"{key}[{number}]: {error.detail}"
            raise HTTPException(error.status_code, where) from error
    return sent


def _json_object(body: bytes, decoder: PixelsDecoder) -> dict[str, Any]:
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        request = decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body must be JSON ({error})") from error
    if not isinstance(request, dict):
        _refuse("the body must be a JSON object", request)
    return request


def _pixels(image: Any, image_size: tuple[int, int]) -> np.ndarray:
    if not isinstance(image, np.ndarray):
        height, width = image_size
        raise HTTPException(
            400,
            f"must be {height} lists of {width} pixels of 3 whole numbers from 0 to "
            '255. Image files of any size go to "signature_name": "serve_bytes".',
        )
    return image


def _named(value: dict[str, Any], name: str) -> Any:
    """The value of the only input."""
    if list(value) != [name]:
        _refuse(f"the name of the only input is {name}", next(iter(value), None))
    return value[name]


def _refuse(message: str, received: Any) -> NoReturn:
    if isinstance(received, np.ndarray):
        shown = "an image"
    elif isinstance(received, (list, dict)):
        shown = f"a {type(received).__name__} of {len(received)}"
    else:
        # ASCII: a Python text may hold half of a surrogate pair, an answer may not.
        shown = ascii(received)[:_SHOWN]
    raise HTTPException(400, f"{message}. Received: {shown}")
