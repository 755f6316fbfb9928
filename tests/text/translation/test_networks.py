"""Networks that translate: masks, causes, files, the loss and teacher forcing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.text.translation import (
    NextPieceLoss,
    OwnPieces,
    TeacherForcing,
    gru_translator,
    transformer_translator,
    with_own_pieces,
)

SOURCE = np.array([[5, 6, 7, 3], [8, 3, 0, 0]], "int32")
TARGET = np.array([[2, 9, 10], [2, 11, 0]], "int32")


def ask(model, source, target):
    return model({"source": source, "target": target}).numpy()


def test_more_padding_changes_no_answer(tiny):
    expected = ask(tiny, SOURCE, TARGET)
    more = np.pad(SOURCE, [(0, 0), (0, 3)]), np.pad(TARGET, [(0, 0), (0, 2)])
    np.testing.assert_allclose(ask(tiny, *more)[:, :3], expected, atol=1e-5)
    alone = ask(tiny, SOURCE[1:, :2], TARGET[1:, :2])
    np.testing.assert_allclose(alone, expected[1:, :2], atol=1e-5)


def test_no_piece_knows_what_comes_after_it(tiny):
    expected = ask(tiny, SOURCE, TARGET)
    other = TARGET.copy()
    other[:, 2] = 12
    found = ask(tiny, SOURCE, other)
    np.testing.assert_allclose(found[:, :2], expected[:, :2], atol=1e-5)
    assert abs(found[:, 2] - expected[:, 2]).max() > 1e-3


def test_as_many_places_as_heads_are_no_heads(rng):
    """With heads of depth 1 they are, in functions of any shape: TensorFlow errs."""
    model = transformer_translator(40, 16, heads=8, num_layers=1, hidden=8, seed=1)
    model.set_weights([w + rng.normal(size=w.shape) for w in model.get_weights()])
    ids = rng.integers(4, 40, (2, 8)).astype("int32")
    shape = tf.TensorSpec((None, None), tf.int32)

    @tf.function(input_signature=[shape, shape])
    def in_a_function(source, target):
        return model({"source": source, "target": target})

    np.testing.assert_allclose(in_a_function(ids, ids), ask(model, ids, ids), atol=1e-4)


def test_each_place_of_the_source_counts(tiny):
    expected = ask(tiny, SOURCE[:1], TARGET[:1])
    for place in range(3):
        other = SOURCE[:1].copy()
        other[0, place] = 13
        assert abs(ask(tiny, other, TARGET[:1]) - expected).max() > 1e-4


def test_a_saved_network_answers_in_plain_keras(tiny, elsewhere, tmp_path):
    from kerasdl.artefacts import save_inference_model

    save_inference_model(tiny, tmp_path / "model.keras")
    np.savez(
        tmp_path / "asked.npz",
        source=SOURCE,
        target=TARGET,
        y=ask(tiny, SOURCE, TARGET),
    )
    printed = elsewhere("translates.py", folder=tmp_path)
    assert float(printed) < 1e-5


def test_parameters_are_those_of_the_docstrings():
    counts = [
        sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        for model in (
            transformer_translator(4000),
            gru_translator(4000),
            gru_translator(4000, attention="luong"),
        )
    ]
    assert counts == [3_660_800, 3_478_976, 2_349_696]


@pytest.mark.parametrize(
    ("build", "options", "match"),
    [
        (
            transformer_translator,
            {"pieces": 0},
            "`pieces` must be an integer of at least 1",
        ),
        (
            transformer_translator,
            {"pieces": 9, "width": 8},
            "`width` must be a multiple",
        ),
        (gru_translator, {"pieces": 9, "units": 5}, "`units` must be even"),
        (gru_translator, {"pieces": 9, "attention": "none"}, "'bahdanau', 'luong'"),
    ],
)
def test_wrong_sizes_are_refused(build, options, match):
    with pytest.raises(ValueError, match=match):
        build(**options)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_keras_of_the_pieces_that_are_there(smoothing, rng):
    logits = rng.normal(size=(2, 3, 7)).astype("float32")
    truth = np.array([[4, 5, 3], [6, 3, 0]])
    found = NextPieceLoss(smoothing)(truth, logits)
    rows = truth != 0
    expected = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing
    )(np.eye(7)[truth[rows]], logits[rows])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    again = NextPieceLoss.from_config(NextPieceLoss(smoothing).get_config())
    assert again.label_smoothing == smoothing
    with pytest.raises(ValueError, match="`label_smoothing` must be at least 0"):
        NextPieceLoss(1.0)


def test_own_pieces_take_the_place_of_true_ones(tiny):
    layer = OwnPieces(seed=3)
    logits = ask(tiny, SOURCE, TARGET)
    given = np.repeat(TARGET, 200, axis=0), np.repeat(logits, 200, axis=0)
    np.testing.assert_array_equal(layer(*given, training=True), given[0])
    layer.truth.assign(0.25)
    np.testing.assert_array_equal(layer(*given), given[0])
    found = np.array(layer(*given, training=True))
    own = given[1].argmax(axis=-1)[:, :-1]
    assert (found[:, 0] == 2).all()
    is_own = (found[:, 1:] == own) & (given[0][:, 1:] != 0)
    is_true = found[:, 1:] == given[0][:, 1:]
    assert (is_own | is_true).all()
    share = is_true[given[0][:, 1:] != 0].mean()
    assert share == pytest.approx(0.25, abs=0.06)


def test_a_network_of_own_pieces_answers_as_before(tiny):
    found = ask(with_own_pieces(tiny, seed=1), SOURCE, TARGET)
    np.testing.assert_allclose(found, ask(tiny, SOURCE, TARGET), atol=1e-5)


def test_teacher_forcing_falls_in_a_line():
    network = gru_translator(40, 8, 6, "luong", seed=1)
    model = with_own_pieces(network, seed=1)
    shares = []
    layer = next(one for one in model.layers if isinstance(one, OwnPieces))
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: shares.append(float(layer.truth))
    )
    model.compile(keras.optimizers.SGD(0.0), NextPieceLoss(), run_eagerly=True)
    x = {"source": SOURCE, "target": TARGET}
    truth = np.array([[9, 10, 3], [11, 3, 0]])
    forcing = TeacherForcing(0.5, 4)
    model.fit(x, truth, epochs=5, verbose=0, callbacks=[forcing, note])
    assert shares == [1.0, 0.875, 0.75, 0.625, 0.5]
    network.compile("sgd", NextPieceLoss())
    with pytest.raises(ValueError, match="needs a model of `with_own_pieces`"):
        network.fit(x, truth, verbose=0, callbacks=[TeacherForcing(0.5, 4)])
    with pytest.raises(ValueError, match="`final` must be from 0 to 1"):
        TeacherForcing(2, 4)
