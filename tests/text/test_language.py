import keras
import numpy as np
import pytest

from kerasdl import text
from kerasdl.text import masked, next_token
from kerasdl.text.tokenizer import pad

LESSON = "今天 小明 去 超市 买 了 一盒 牛奶"


def test_a_bigram_model_beside_counts_by_hand():
    model = text.NGramModel(2, smoothing=1).fit([["a", "b"], ["a", "a", "b"]])
    # Words a, b, the end and the unknown one; after a: a once, b twice.
    logs = np.log([(2 + 1) / (2 + 4), (2 + 1) / (3 + 4), (2 + 1) / (2 + 4)])
    assert model.log_probability(["a", "b"]) == pytest.approx(logs.sum())
    expected = np.exp(-logs.sum() / 3)
    assert model.perplexity([["a", "b"]]) == pytest.approx(expected)
    unknown = np.log(1 / (2 + 4)) + np.log(1 / (0 + 4))
    assert model.log_probability(["z"]) == pytest.approx(unknown)


def test_the_sentence_of_the_lesson_is_likelier_than_its_words_in_disorder():
    said = [LESSON, "今天 我 去 超市", "小明 买 了 一盒 牛奶", "我 买 了 牛奶"]
    model = text.NGramModel(2).fit(sentence.split() for sentence in said)
    scrambled = "牛奶 超市 了 今天 一盒 去 买 小明".split()
    right = model.log_probability(LESSON.split())
    assert right > model.log_probability(scrambled) + 5
    bare = text.NGramModel(2, smoothing=0).fit(s.split() for s in said)
    assert bare.log_probability(scrambled) == -np.inf


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: text.NGramModel(0), "`size` must be"),
        (lambda: text.NGramModel(2, -1), "`smoothing` must be"),
        (lambda: text.NGramModel().perplexity([]), "at least one"),
        (lambda: next_token.perplexity(None, [], 9), "at least one text"),
        (lambda: masked.MaskedTexts([np.array([3])], 9), "at least 2 tokens"),
        (
            lambda: text.masked_model(text.models.text_cnn(9, seed=0), 9),
            "states of each token.*text_cnn",
        ),
        (lambda: next_token.write_on(None, [], 9, temperature=0), "`temperature`"),
    ],
)
def test_bad_arguments(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_masks_hide_some_tokens_and_tell_the_truth(data):
    encoded = data.encoded("train")
    texts = masked.MaskedTexts(encoded, data.tokenizer.size, 16, seed=0)
    changed = 0
    for index in range(texts.stream.num_batches):
        inputs, truth = texts._make(0, index)
        rows = [encoded[row] for row in texts._batches(0)[index]]
        whole = pad(rows)
        np.testing.assert_array_equal(
            np.take_along_axis(whole, inputs["places"], axis=1), truth
        )
        assert (truth > 0).all()
        hidden = inputs["tokens"] != whole
        kept = np.ones_like(hidden)
        np.put_along_axis(kept, inputs["places"], False, axis=1)
        assert not (hidden & kept).any()
        changed += hidden.sum() / (whole > 0).sum() / texts.stream.num_batches
    assert 0.08 < changed < 0.15


def test_pretraining_changes_the_network_that_it_is_of(data):
    size = data.tokenizer.size
    network = text.models.transformer(size, dim=16, heads=2, depth=1, seed=0)
    before = network.get_layer("embedding").get_weights()[0].copy()
    history = text.pretrain(network, data.encoded("train"), size, 3, 0.01, 16, seed=0)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] < np.log(size) + 0.5
    assert np.abs(network.get_layer("embedding").get_weights()[0] - before).max() > 0
    assert [layer.name for layer in network.layers][-1] == "probability"


def test_an_lstm_learns_the_sentences_and_writes_on(data):
    encoded, size = data.encoded("train"), data.tokenizer.size
    model = text.char_lstm(size, 16, 32, 0.0, seed=0)
    before = text.perplexity(model, encoded, size)
    assert before == pytest.approx(size + 2, rel=0.1)  # it knows nothing yet
    text.fit_next_tokens(model, encoded, size, 12, 0.03, seed=0)
    assert text.perplexity(model, encoded, size) < before / 2
    found = model.evaluate(*next_token.shifted(encoded[:9], size)[:2], verbose=0)
    assert found > 0  # compiled, and of plain Keras
    written = text.write_on(model, encoded[0][:3], size, 12, seed=1)
    assert written[:3] == encoded[0][:3].tolist() and len(written) <= 15
    assert written == text.write_on(model, encoded[0][:3], size, 12, seed=1)
    assert isinstance(model, keras.Model)


def test_hardly_any_temperature_takes_the_likeliest(data):
    size = data.tokenizer.size
    model = text.char_lstm(size, 4, 4, seed=0)
    found = model.predict_on_batch(np.array([[size, 3]]))[0, -1]
    found[[0, size]] = 0
    written = text.write_on(model, [3], size, 1, temperature=1e-3, seed=0)
    assert written == [3, found.argmax()] or found.argmax() == size + 1


def test_perplexity_counts_each_token_and_the_end(data):
    size, one = data.tokenizer.size, data.encoded("train")[0]
    model = text.char_lstm(size, 4, 4, seed=0)
    found = model.predict_on_batch(np.append(size, one)[None].astype("int32"))[0]
    logs = np.log(found[np.arange(len(one) + 1), np.append(one, size + 1)])
    expected = np.exp(-logs.mean())
    padded = text.perplexity(model, [one, one[:2]], size)
    assert text.perplexity(model, [one], size) == pytest.approx(expected, rel=1e-4)
    assert np.isfinite(padded)
