import keras
import numpy as np
import pytest
from keras import layers

import kerasdl
from kerasdl.callbacks import (
    CosineRestarts,
    CycleSnapshots,
    Evaluation,
    OneCycle,
    WeightAveraging,
)
from kerasdl.classification import TTAEvaluation, predict_split, tta
from kerasdl.data import Augment, ImageData, ImageDataGenerator, ImageError

FLIP = Augment(horizontal_flip=True)
eagerly = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_photos):
    """Bright photos are of class b, dark ones of class a."""

    def pixels(rng, place, _):
        return rng.integers(0, 100, (20, 20, 3)) + 120 * place

    root = tmp_path_factory.mktemp("photos")
    return write_photos(root, {"train": 6, "valid": 4}, "ab", pixels)


def photos(folder, size=16, augment=FLIP):
    return ImageData.from_folder(
        folder, image_size=size, batch_size=4, augment=augment, seed=1
    )


def network(size=16):
    pixels = keras.Input((size, size, 3), name="pixels")
    x = layers.Rescaling(1 / 255)(pixels)
    for i, filters in enumerate((4, 6)):
        init = keras.initializers.HeNormal(seed=i)
        x = layers.Conv2D(filters, 3, activation="relu", kernel_initializer=init)(x)
    x = layers.GlobalAveragePooling2D()(x)
    init = keras.initializers.GlorotUniform(seed=2)
    x = layers.Dense(1, activation="sigmoid", kernel_initializer=init, name="top")(x)
    return keras.Model(pixels, x, name="small")


def weights(model):
    return [variable.numpy() for variable in model.weights]


def test_what_has_no_effect_under_precompute_is_said(folder, capsys):
    data = photos(folder, augment=None)
    capsys.readouterr()
    learn = kerasdl.Learner.from_model(network(), data, precompute=True)
    assert capsys.readouterr().out == ""
    learn.set_data(data.with_mix(layers.MixUp(0.2)))
    assert "augmentation has no effect" in capsys.readouterr().out
    learn.precompute = False
    assert capsys.readouterr().out == ""


@eagerly
def test_three_lines_on_the_embedded_trunk(folder, tmp_path, capsys):
    data = photos(folder, size=32)
    learn = kerasdl.Learner.pretrained(
        "efficientnet_lite0", data, precompute=True, cache_dir=tmp_path, seed=1
    )
    trunk = learn.model.get_layer("block6a_expand_conv").get_weights()
    assert "augmentation has no effect" in capsys.readouterr().out
    history = learn.fit(1e-2, cycles=10)
    assert len(history) == 10
    assert learn.predict().accuracy >= 0.75
    after = learn.model.get_layer("block6a_expand_conv").get_weights()
    np.testing.assert_array_equal(trunk[0], after[0])


@eagerly
def test_precompute_trains_what_the_whole_model_predicts(folder, tmp_path, capsys):
    learn = kerasdl.Learner.from_model(network(), photos(folder), cache_dir=tmp_path)
    learn.freeze()
    before = weights(learn.model)
    learn.precompute = True
    capsys.readouterr()
    history = learn.fit(0.1, cycles=2, verbose=0)
    assert capsys.readouterr() == ("", "")  # the trunk runs in silence too
    after = weights(learn.model)
    moved = [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert moved == [False] * 4 + [True] * 2
    # The loss of the cached activations is that of the photos.
    found = learn.predict()
    truth = found.probabilities[np.arange(8), found.labels]
    assert history["val_loss"].iloc[-1] == pytest.approx(-np.log(truth).mean(), 1e-4)
    learn.precompute = False
    learn.unfreeze()
    learn.fit(0.1)
    assert not np.array_equal(weights(learn.model)[0], before[0])


@eagerly
@pytest.mark.parametrize("head", ["pooled", "flatten"])
def test_precompute_is_training_through_the_frozen_trunk(
    head, folder, tmp_path, tiny_backbone
):
    found = []
    for precompute in (False, True):
        learn = kerasdl.Learner.pretrained(
            tiny_backbone,
            photos(folder, 32, None),
            precompute,
            None,
            head,
            cache_dir=tmp_path,
            optimizer="adam",
            seed=1,
        )
        assert type(learn.model.optimizer) is keras.optimizers.Adam
        learn.fit(1e-2, cycles=3)
        found.append((weights(learn.model), learn.history, learn.predict()))
    (through, history, answers), (cached, cached_history, cached_answers) = found
    for ours, theirs in zip(cached, through, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        cached_history[["loss", "val_loss"]], history[["loss", "val_loss"]], rtol=1e-4
    )
    np.testing.assert_allclose(
        cached_answers.probabilities, answers.probabilities, atol=1e-4
    )


def test_a_model_compiled_anew_trains_as_it_says(folder, tmp_path):
    learn = kerasdl.Learner.from_model(network(), photos(folder), cache_dir=tmp_path)
    learn.freeze()
    learn.precompute = True
    learn.fit(0.1)
    before = weights(learn.model)
    learn.model.compile(keras.optimizers.SGD(clipvalue=1e-9), "binary_crossentropy")
    learn.fit(0.1)
    for now, then in zip(weights(learn.model), before, strict=True):
        np.testing.assert_allclose(now, then, atol=1e-8)


def test_fit_is_cycles_with_rates_by_depth(folder):
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    watch = CosineRestarts(1, 2)
    learn.fit([1e-3, 1e-2], cycles=2, cycle_mult=2, callbacks=[watch])
    assert len(learn.history) == 1 + 2
    assert watch.rates[0] == watch.rates[3] == pytest.approx(1e-2)
    assert kerasdl.train.layer_rates(learn.model) == pytest.approx([1e-3, 1e-3, 1e-2])


def test_keras_own_switches_hold_throughout(folder):
    data = photos(folder).with_mix(layers.MixUp(0.2))
    learn = kerasdl.Learner.from_model(network(), data)
    loss = kerasdl.classification.classification_loss(
        learn.model, data, label_smoothing=0.2
    )
    optimizer = keras.optimizers.AdamW(
        weight_decay=0.5, global_clipnorm=1e-9, use_ema=True, ema_momentum=0.9
    )
    learn.model.compile(optimizer, loss)
    learn.unfreeze()
    kernel = weights(learn.model)[0]
    learn.fit(slice(1e-3, 1e-2), cycles=2)
    assert learn.model.optimizer is optimizer
    assert learn.model.loss.label_smoothing == 0.2
    # Clipped to nothing, the first group shrinks at a tenth of the rate; Keras gives
    # out its average, which lags behind.
    ratio = weights(learn.model)[0] / kernel
    assert ((1 - 0.5 * 1e-3 * 4) < ratio).all() and (ratio < 1).all()


@eagerly
def test_each_fit_sees_views_of_its_own(folder, monkeypatch):
    data = photos(folder)
    learn = kerasdl.Learner.from_model(network(), data)
    begun = []
    original = data.start_epoch
    monkeypatch.setattr(data, "start_epoch", lambda n: (begun.append(n), original(n)))
    learn.fit(1e-3, cycles=2)
    learn.fit(1e-3)
    assert begun == [0, 2]
    assert learn.history["stage"].tolist() == ["fit 1", "fit 1", "fit 2"]


class Cut(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


def test_a_cut_script_resumes_to_the_same_bits(folder, tmp_path):
    def script(state, resume=False, cut=()):
        learn = kerasdl.Learner.from_model(network(), photos(folder), folder=state)
        learn.fit(1e-2, cycles=2, resume=resume)
        learn.fit(1e-3, cycles=2, resume=resume, callbacks=cut)
        return learn

    whole = script(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        # Told before the state is written: the epoch is lost, and trained again.
        script(tmp_path / "cut", cut=[Cut()])
    with pytest.raises(ValueError, match="`folder` must not hold the state.*resume=Tr"):
        script(tmp_path / "cut")
    resumed = script(tmp_path / "cut", resume=True)
    for one, two in zip(weights(whole.model), weights(resumed.model), strict=True):
        np.testing.assert_array_equal(one, two)
    columns = ["epoch", "loss", "val_loss", "learning_rate", "stage"]
    np.testing.assert_array_equal(whole.history[columns], resumed.history[columns])


OTHERS = [
    ((1e-4, 3), {}, r"learning_rate=0.0001 \(recorded: 0.01\)"),
    (([1e-3, 1e-2], 2), {}, r"ratios_by_depth.*recorded"),
    ((1e-2, 2, 2), {}, r"cycle_len=2 \(recorded: 1\)"),
    ((1e-2, 1), {}, "`epochs` must be at least those.*epochs=1"),
    ((1e-2, 3), {"batch_size": 3}, r"photos.batch_size=3 \(recorded: "),
    ((1e-2, 3), {"seed": 9}, r"photos.seed=9 \(recorded: "),
]


@pytest.fixture(scope="module")
def begun(tmp_path_factory, folder):
    state = tmp_path_factory.mktemp("begun")
    kerasdl.Learner.from_model(network(), photos(folder), folder=state).fit(1e-2, 2)
    return state


@pytest.mark.parametrize(("arguments", "settings", "message"), OTHERS)
def test_a_fit_is_resumed_with_what_it_was_begun_with(
    arguments, settings, message, begun, folder
):
    given = {"image_size": 16, "batch_size": 4, "augment": FLIP, "seed": 1}
    data = ImageData.from_folder(folder, **given | settings)
    learn = kerasdl.Learner.from_model(network(), data, folder=begun)
    with pytest.raises(ValueError, match=message):
        learn.fit(*arguments, resume=True)


@eagerly
def test_lr_find_leaves_everything_as_it_was(folder):
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    before = weights(learn.model)
    found = learn.lr_find(1e-4, 1, num_steps=8)
    assert len(found.rates) <= 8
    for one, two in zip(before, weights(learn.model), strict=True):
        np.testing.assert_array_equal(one, two)


@eagerly
def test_without_a_rate_the_valley_of_the_last_sweep_is_taken(folder, capsys):
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    valley = learn.lr_find(1e-4, 1, num_steps=20).suggestions["valley"]
    history = learn.fit()
    assert (
        f"learning rate {valley:.2g}, the valley of the last" in capsys.readouterr().out
    )
    assert history.attrs["learning_rates"][0] == pytest.approx(valley)
    learn.fit(11 * valley)
    assert "is 11 times the valley of lr_find" in capsys.readouterr().out
    learn.fit(slice(9 * valley, 9 * valley))
    assert "times" not in capsys.readouterr().out
    # Of other layers, or with another optimizer, nothing is known.
    learn.freeze()
    learn.fit(11 * valley)
    assert "times" not in capsys.readouterr().out


def test_a_rate_that_was_looked_for_is_that_of_the_resumed_fit(
    folder, tmp_path, capsys
):
    def script(resume):
        learn = kerasdl.Learner.from_model(network(), photos(folder), folder=tmp_path)
        return learn, learn.fit(cycles=2, resume=resume).attrs["learning_rates"]

    whole, rates = script(False)
    assert "the valley of lr_find" in capsys.readouterr().out
    learn, again = script(True)
    assert "that the training was begun with" in capsys.readouterr().out
    assert again == rates
    for one, two in zip(weights(learn.model), weights(whole.model), strict=True):
        np.testing.assert_array_equal(one, two)
    learn.fit()
    assert "the valley of the last lr_find" in capsys.readouterr().out


def test_other_optimizers_are_named_or_compiled(folder):
    def optimizer(model, **options):
        learn = kerasdl.Learner.from_model(model, photos(folder), **options)
        return learn.model.optimizer

    ours = optimizer(network())
    assert type(ours) is keras.optimizers.SGD
    assert (ours.momentum, ours.nesterov) == (0.9, False)
    assert type(optimizer(network(), optimizer="adam")) is keras.optimizers.Adam
    model = network()
    model.compile(keras.optimizers.RMSprop(), "binary_crossentropy")
    assert optimizer(model) is model.optimizer
    with pytest.raises(ValueError, match="`optimizer` must be None for a model that"):
        optimizer(model, optimizer="adam")


@eagerly
def test_what_another_optimizer_left_is_refused_or_goes_on_without_it(folder, tmp_path):
    def learner(optimizer=None):
        return kerasdl.Learner.from_model(
            network(), photos(folder), False, tmp_path, optimizer=optimizer
        )

    adam = learner("adam")
    adam.fit(1e-2)
    adam.save(tmp_path / "adam.weights.h5")
    learn = learner()
    with pytest.raises(ValueError, match=r"optimizer.class='SGD' \(recorded: 'Adam'\)"):
        learn.fit(1e-2, resume=True)
    learn.load(tmp_path / "adam.weights.h5")
    for one, two in zip(weights(learn.model), weights(adam.model), strict=True):
        np.testing.assert_array_equal(one, two)
    for variable in learn.model.optimizer.variables[2:]:  # after step and rate
        assert not variable.numpy().any()


@eagerly
def test_larger_photos_go_on_with_the_weights(folder):
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    learn.freeze()
    learn.fit(1e-2)
    before = weights(learn.model)
    learn.set_data(photos(folder, size=20))
    assert learn.model.input_shape == (None, 20, 20, 3)
    for one, two in zip(before, weights(learn.model), strict=True):
        np.testing.assert_array_equal(one, two)
    learn.fit(1e-2)
    after = weights(learn.model)
    np.testing.assert_array_equal(before[0], after[0])  # frozen still
    assert not np.array_equal(before[-1], after[-1])


@eagerly
def test_saved_weights_come_back(folder, tmp_path):
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    before = weights(learn.model)
    learn.save(tmp_path / "a.weights.h5")
    learn.fit(0.1)
    learn.load(tmp_path / "a.weights.h5")
    for one, two in zip(before, weights(learn.model), strict=True):
        np.testing.assert_array_equal(one, two)
    assert [path.name for path in tmp_path.iterdir()] == ["a.weights.h5"]


@eagerly
def test_loaded_weights_are_those_that_activations_come_from(folder, tmp_path):
    learn = kerasdl.Learner.from_model(network(), photos(folder), cache_dir=tmp_path)
    learn.fit(0.1)
    learn.save(tmp_path / "tuned.weights.h5")
    learn = kerasdl.Learner.from_model(network(), photos(folder), cache_dir=tmp_path)
    learn.freeze()
    learn.precompute = True
    learn.fit(1e-6)
    learn.load(tmp_path / "tuned.weights.h5")
    history = learn.fit(1e-6)
    found = learn.predict()
    truth = found.probabilities[np.arange(8), found.labels]
    assert history["val_loss"].iloc[-1] == pytest.approx(-np.log(truth).mean(), 1e-4)


def test_predictions_and_files_are_those_of_the_public_functions(folder, tmp_path):
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    learn.fit(0.1)
    np.testing.assert_array_equal(
        learn.predict().probabilities,
        predict_split(learn.model, learn.data).probabilities,
    )
    np.testing.assert_array_equal(
        learn.tta(2, seed=1).probabilities,
        tta(learn.model, learn.data, 2, seed=1).probabilities,
    )
    report = learn.report(tmp_path / "report.html")
    assert report.summary["accuracy"] == learn.predict().accuracy
    learn.plot_lr(tmp_path / "rates.png")
    learn.plot_losses(tmp_path / "losses.png")
    learn.export(tmp_path / "small.keras")
    learn.export(tmp_path / "small.tflite")
    assert len(list(tmp_path.iterdir())) == 5
    plain = keras.saving.load_model(tmp_path / "small.keras")
    np.testing.assert_allclose(
        plain.predict(learn.data.valid, verbose=0)[:, 0],
        learn.predict().probabilities[:, 1],
        atol=1e-6,
    )


def test_photos_of_ones_own_are_answered_and_shown(folder, tmp_path):
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    path = next((folder / "valid/a").iterdir())
    found = learn.predict(path)
    assert found.files == [str(path)]
    row = learn.data.files("valid").index(f"valid/a/{path.name}")
    expected = learn.predict("valid").probabilities[row]
    np.testing.assert_allclose(found.probabilities[0], expected, atol=1e-6)
    with pytest.raises(ImageError, match="absent.jpg"):
        learn.predict("absent.jpg")
    learn.show_results(rows=1, path=tmp_path / "results.png")
    learn.data.show_batch(rows=1, path=tmp_path / "batch.png")
    for name in ("results.png", "batch.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    texts = repr(learn), repr(learn.data), repr(learn.predictor()), repr(found)
    assert max(text.count("\n") for text in texts) < 24
    assert "groups      3, frozen: none" in texts[0]
    learn.freeze()
    assert "groups      3, frozen: 0, 1\n" in repr(learn)
    assert "12 photos: a 6, b 6" in texts[1]
    assert learn.data._repr_html_().count("<img") == 12


def test_one_call_trains_the_head_and_then_all_layers(folder):
    data = photos(folder)
    learn = kerasdl.fine_tune(network(), data, epochs=2, learning_rate=0.1)
    assert learn.history["stage"].tolist() == ["fit 1", "fit 2", "fit 2"]
    by_hand = kerasdl.Learner.from_model(network(), data)
    by_hand.freeze()
    by_hand.fit(0.1, callbacks=[OneCycle()])
    by_hand.unfreeze()
    by_hand.fit(slice(0.0005, 0.05), cycle_len=2, callbacks=[OneCycle()])
    for ours, theirs in zip(weights(learn.model), weights(by_hand.model), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="`epochs` must be an integer of at least 1"):
        kerasdl.fine_tune(network(), data, epochs=0)
    with pytest.raises(ValueError, match="`resume` needs a `folder`"):
        kerasdl.fine_tune(network(), data, resume=True)
    meant = "`model` must be one of .*: model='resnet5'. Did you mean 'resnet50'?"
    with pytest.raises(ValueError, match=meant):
        kerasdl.fine_tune("resnet5", data)


@eagerly
def test_an_interrupted_fine_tune_is_kept_and_gone_on_with(
    folder, tmp_path, monkeypatch, capsys
):
    def call(state=None, stopped_fit=None, **options):
        data, begun = photos(folder), []
        original = data.start_epoch

        def start_epoch(epoch):
            begun.append(epoch)
            if len(begun) == stopped_fit:
                raise KeyboardInterrupt
            original(epoch)

        monkeypatch.setattr(data, "start_epoch", start_epoch)
        return kerasdl.fine_tune(network(), data, 1, 0.1, state, **options)

    whole = call(verbose=0)
    assert capsys.readouterr().out == "2 classes: a, b\n"  # of the data
    with pytest.raises(KeyboardInterrupt):  # a script ends
        call(stopped_fit=2)
    monkeypatch.setattr("sys.ps1", ">>> ", raising=False)
    stopped = call(tmp_path, stopped_fit=2)
    assert "the Learner is returned as it stands" in capsys.readouterr().out
    assert stopped.history["stage"].tolist() == ["fit 1"]
    assert len(stopped.fit(1e-3)) == 1
    resumed = call(tmp_path, resume=True)
    for ours, theirs in zip(weights(resumed.model), weights(whole.model), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_head_that_was_interrupted_leaves_nothing_precomputed(
    folder, tiny_backbone, monkeypatch
):
    def fit(learn, *args, **options):
        assert learn.precompute
        raise KeyboardInterrupt

    monkeypatch.setattr(kerasdl.Learner, "fit", fit)
    monkeypatch.setattr("sys.ps1", ">>> ", raising=False)
    learn = kerasdl.fine_tune(tiny_backbone, photos(folder, 32), seed=1)
    assert not learn.precompute
    learn.freeze_to(0)  # an error where activations are cached


def test_summary_shows_what_trains(folder, capsys):
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    assert learn.freeze() == 6 + 1
    learn.summary()
    assert "7 of 341 parameters train" in capsys.readouterr().out
    assert learn.bn_freeze() == 7


def test_batch_norm_of_the_head_trains_while_nothing_before_it_does(
    folder, tiny_backbone
):
    learn = kerasdl.Learner.pretrained(
        tiny_backbone, photos(folder, 32), weights=None, seed=1
    )
    norm = learn.model.get_layer("head_bn")
    assert norm.trainable
    learn.unfreeze()
    assert not norm.trainable
    assert learn.model.get_layer("head_predictions").trainable
    learn.freeze_to("head_avg_pool")
    assert norm.trainable


def test_data_that_does_not_fit(folder):
    flow = ImageDataGenerator(rescale=1 / 255).flow(np.zeros((4, 16, 16, 3)), [0] * 4)
    with pytest.raises(ValueError, match="`data` must be an ImageData.*that rescales"):
        kerasdl.Learner.from_model(network(), flow)
    with pytest.raises(ValueError, match=r"images of the data's size.*\(20, 20\)"):
        kerasdl.Learner.from_model(network(), photos(folder, size=20))
    with pytest.raises(ValueError, match="`Learner.pretrained` takes the name of one"):
        kerasdl.Learner("efficientnet_lite0", photos(folder))
    learn = kerasdl.Learner.from_model(network(), photos(folder))
    with pytest.raises(ValueError, match="must be functional.*with inputs that are no"):
        kerasdl.Learner.from_model(keras.Sequential([layers.Dense(1)]), photos(folder))
    other = photos(folder)
    other.class_names = ["a", "c"]
    with pytest.raises(ValueError, match="`data` must have the classes"):
        learn.set_data(other)


def test_what_cannot_be_done_now(folder):
    learn = kerasdl.Learner.from_model(network(), photos(folder), precompute=True)
    with pytest.raises(ValueError, match="`freeze_to` needs `precompute=False`"):
        learn.unfreeze()
    for callback in (
        CycleSnapshots(folder / "snapshots"),
        TTAEvaluation(learn.data),
        Evaluation(len),
        WeightAveraging(learn.data.train),
    ):
        name = type(callback).__name__
        with pytest.raises(ValueError, match=f"no whole model. Received: {name}"):
            learn.fit(0.1, callbacks=[callback])
    with pytest.raises(ValueError, match="`resume` needs a Learner with a `folder`"):
        learn.fit(0.1, resume=True)
    with pytest.raises(ValueError, match="must end in .keras or .tflite.*model.pkl"):
        learn.export(folder / "model.pkl")
    with pytest.raises(ValueError, match="`path` must be in a folder that exists"):
        learn.report(folder / "nowhere" / "page.html")
