"""A classifier behind HTTP from where somebody types."""

import json
import logging
from urllib.request import urlopen

import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.classification import Likeness, Predictor
from kerasdl.serving import bind, serve


def test_it_answers_until_it_is_stopped(predictor, capsys):
    server = serve(predictor, "animals", port=0, wait=False)
    assert f"animals on {server.url} (`stop()` of what is" in capsys.readouterr().out
    with urlopen(f"{server.url}/healthz") as answer:
        assert json.load(answer) == {"status": "ok"}
    server.stop()
    with bind(port=int(server.url.rsplit(":", 1)[1])):  # it is free again
        pass


def test_handlers_of_others_stay_open(predictor):
    class Handler(logging.NullHandler):
        is_closed = False

        def close(self):
            self.is_closed = True

    handler = Handler()
    serve(predictor, "animals", port=0, wait=False).stop()
    serve(predictor, "animals", port=0, wait=False).stop()
    assert not handler.is_closed
    assert len(logging.getLogger("uvicorn").handlers) == 1


def test_a_name_that_is_none_leaves_the_port_free(predictor):
    with bind(port=0) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(ValueError, match="`name` must be letters, digits"):
        serve(predictor, "an animal", port=port, wait=False)
    with bind(port=port):
        pass


def test_photos_unlike_the_training_photos_and_unsure_answers_are_marked(
    run_server, photo, lite_model_of
):
    """The features are the mean colours: grey noise is not red."""
    model = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
        ]
    )
    red, grey = np.eye(3, dtype="float16")[:1], np.full((1, 3), 0.577, "float16")
    for centre, unlike in ((red, True), (grey, False)):
        known = Predictor(model, ["no", "yes"], 4, likeness=Likeness(centre, 0.1))
        for lite in (None, lite_model_of(known)):
            with run_server(known, lite=lite) as client:
                for photos in ([photo()], [photo(), photo(1)]):
                    for found in client.classify(*photos).content["images"]:
                        assert found["unlike"] is unlike
                        assert found["unsure"] is True
