import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.train import freeze, layer_rates, set_layer_rates, unfreeze

RATES = [1e-3, 3e-3, 1e-2]


def network(seed=0):
    """Three groups, one layer each."""
    init = [keras.initializers.GlorotUniform(seed=seed + i) for i in range(3)]
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, "tanh", kernel_initializer=init[0], name="early"),
            keras.layers.Dense(5, "tanh", kernel_initializer=init[1], name="middle"),
            keras.layers.Dense(1, kernel_initializer=init[2], name="late"),
        ]
    )


@pytest.fixture
def data(rng):
    return rng.normal(size=(16, 4)).astype("float32"), rng.normal(size=(16, 1))


def train(model, data, epochs=1):
    x, y = data
    model.fit(x, y, batch_size=16, epochs=epochs, shuffle=False, verbose=0)


def weights(model):
    """Weights of each layer, flat."""
    return [
        np.concatenate([w.ravel() for w in layer.get_weights()])
        for layer in model.layers
    ]


def step(model, data):
    """How far each layer moves in a step."""
    before = weights(model)
    train(model, data)
    return [after - old for after, old in zip(weights(model), before, strict=True)]


def compiled(optimizer, **options):
    model = network()
    model.compile(optimizer=optimizer, loss="mse", **options)
    return model


def test_a_group_with_a_tenth_of_the_rate_moves_a_tenth_as_far(data):
    whole = step(compiled(keras.optimizers.SGD(0.1)), data)
    model = compiled(keras.optimizers.SGD(0.5))
    set_layer_rates(model, [0.01, 0.05, 0.1])
    parts = step(model, data)
    for part, all_of_it, share in zip(parts, whole, (0.1, 0.5, 1), strict=True):
        np.testing.assert_allclose(part, share * all_of_it, rtol=1e-4, atol=1e-7)


OPTIMIZERS = {
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "adam": lambda rate: keras.optimizers.Adam(rate),
    "adamw": lambda rate: keras.optimizers.AdamW(rate, weight_decay=0.3),
    "rmsprop": lambda rate: keras.optimizers.RMSprop(rate, weight_decay=0.1),
    "nadam": lambda rate: keras.optimizers.Nadam(rate),
    "adafactor": lambda rate: keras.optimizers.Adafactor(rate),
    "accumulating": lambda rate: keras.optimizers.AdamW(
        rate, weight_decay=0.3, gradient_accumulation_steps=2
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_one_stock_optimizer_for_each_group(name, data):
    make = OPTIMIZERS[name]
    model = compiled(make(0.5))
    set_layer_rates(model, RATES)
    train(model, data, epochs=8)

    expected = network()
    optimizers = [make(rate) for rate in RATES]
    x, y = data
    for _ in range(8):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((expected(x, training=True) - y) ** 2)
        groups = [layer.trainable_variables for layer in expected.layers]
        gradients = tape.gradient(loss, groups)
        for optimizer, own, group in zip(optimizers, gradients, groups, strict=True):
            optimizer.apply(own, group)
    for ours, wanted in zip(weights(model), weights(expected), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-6)


def test_clipping_by_the_global_norm_is_global(data):
    """Under SGD, the steps over their rates have the norm that was asked for."""
    model = compiled(keras.optimizers.SGD(1.0, global_clipnorm=0.01))
    set_layer_rates(model, RATES)
    steps = step(model, data)
    scaled = [part / rate for part, rate in zip(steps, RATES, strict=True)]
    assert np.linalg.norm(np.concatenate(scaled)) == pytest.approx(0.01, rel=1e-2)


def test_the_last_rate_is_the_optimizers_and_scales_all(data):
    model = compiled("sgd")
    assert layer_rates(model) == pytest.approx([0.01] * 3)
    set_layer_rates(model, RATES)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-2)
    assert layer_rates(model) == pytest.approx(RATES)
    model.optimizer.learning_rate = 1.0
    assert layer_rates(model) == pytest.approx([0.1, 0.3, 1.0])
    model.optimizer.learning_rate = keras.optimizers.schedules.ExponentialDecay(
        1e-2, decay_steps=1, decay_rate=0.5
    )
    first = step(model, data)
    assert layer_rates(model) == pytest.approx([rate / 2 for rate in RATES])
    whole = step(compiled(keras.optimizers.SGD(1e-2)), data)
    for part, all_of_it, share in zip(first, whole, (0.1, 0.3, 1), strict=True):
        np.testing.assert_allclose(part, share * all_of_it, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        (0.1, [0.1, 0.1, 0.1]),
        ([0.1], [0.1, 0.1, 0.1]),
        ((0.1, 0.2), [0.1, 0.1, 0.2]),
        (np.array([0.1, 0.2, 0.3]), [0.1, 0.2, 0.3]),
        (slice(1e-4, 1e-2), [1e-4, 1e-3, 1e-2]),
        (slice(1e-2), [1e-3, 1e-3, 1e-2]),
    ],
)
def test_ways_to_say_rates(given, rates):
    model = compiled("sgd")
    set_layer_rates(model, given)
    assert layer_rates(model) == pytest.approx(rates)


def test_setting_again_replaces_without_a_new_trace(data):
    model = compiled("sgd")
    train(model, data)  # the training step is traced before there are rates
    set_layer_rates(model, RATES)
    early, _, late = step(model, data)
    assert np.abs(early).max() > 0
    traced = model.train_function
    set_layer_rates(model, [1e-12, 1e-12, 1e-2])
    early, middle, late = step(model, data)
    assert model.train_function is traced
    assert np.abs(early).max() == np.abs(middle).max() == 0 < np.abs(late).max()


def test_one_rate_for_all_restores_the_stock_methods(data):
    model = compiled(keras.optimizers.SGD(0.1))
    set_layer_rates(model, RATES)
    train(model, data)
    set_layer_rates(model, 0.1)
    stock = compiled(keras.optimizers.SGD(0.1))
    stock.set_weights(model.get_weights())
    for ours, wanted in zip(step(model, data), step(stock, data), strict=True):
        np.testing.assert_array_equal(ours, wanted)
    own = vars(model.optimizer)
    assert "update_step" not in own and "_apply_weight_decay" not in own


def test_slots_survive_a_change_of_rates_and_of_what_is_frozen(data):
    model = compiled("adam")
    train(model, data, epochs=3)
    before = [variable.numpy() for variable in model.optimizer.variables]
    set_layer_rates(model, RATES)
    freeze(model)
    unfreeze(model)
    assert layer_rates(model) == pytest.approx(RATES)
    for index, variable in enumerate(model.optimizer.variables):
        if index != 1:  # the learning rate
            np.testing.assert_array_equal(variable.numpy(), before[index])
    freeze(model)
    early, middle, late = step(model, data)
    assert np.abs(early).max() == np.abs(middle).max() == 0 < np.abs(late).max()
    assert layer_rates(model) == pytest.approx(RATES)


def test_mixed_precision(data):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled("sgd")
    finally:
        keras.config.set_dtype_policy("float32")
    set_layer_rates(model, [1e-12, 1e-12, 1e-2])
    early, middle, late = step(model, data)
    assert max(np.abs(early).max(), np.abs(middle).max()) < 1e-10
    assert np.abs(late).max() > 1e-4
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-2)


def test_a_whole_save_loads_in_plain_keras_with_its_optimizer(
    data, tmp_path, elsewhere
):
    model = compiled(keras.optimizers.AdamW(1e-2, weight_decay=0.1))
    freeze(model)
    unfreeze(model)
    set_layer_rates(model, RATES)
    train(model, data, epochs=2)
    model.save(tmp_path / "model.keras")
    values = {f"v{i}": v.numpy() for i, v in enumerate(model.optimizer.variables)}
    np.savez(tmp_path / "values.npz", x=data[0], y=data[1], **values)
    files = tmp_path / "model.keras", tmp_path / "values.npz"
    printed = elsewhere("trained_optimizer.py", *files)
    assert printed == "14\n"  # step, rate, and two slots for each of six weights
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert layer_rates(loaded) == pytest.approx([1e-2] * 3)
    set_layer_rates(loaded, RATES)
    assert layer_rates(loaded) == pytest.approx(RATES)
    for ours, wanted in zip(step(loaded, data), step(model, data), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    "rates",
    [
        0,
        -1e-3,
        float("nan"),
        float("inf"),
        None,
        "1e-3",
        [],
        [1e-3] * 4,
        [1e-3, 0, 1e-2],
        slice(1e-4, None),
        slice(0, 1e-2),
        slice(1e-4, 1e-2, 2),
    ],
)
def test_rates_that_do_not_work(rates):
    model = compiled("sgd")
    with pytest.raises(ValueError, match="`learning_rate` must be a number above 0, a"):
        set_layer_rates(model, rates)
    assert layer_rates(model) == pytest.approx([0.01] * 3)


def test_models_that_do_not_work():
    with pytest.raises(ValueError, match="`model` must be compiled. Received"):
        set_layer_rates(network(), RATES)
    with pytest.raises(ValueError, match="`model` must be compiled. Received"):
        layer_rates(network())
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ValueError, match="with a float as its learning rate.*Cosine"):
        set_layer_rates(compiled(keras.optimizers.SGD(schedule)), RATES)
    many = keras.optimizers.MultiOptimizer(lambda variable: keras.optimizers.SGD())
    with pytest.raises(ValueError, match="with one optimizer. Received: a MultiOptim"):
        set_layer_rates(compiled(many), RATES)
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    unbuilt.compile(loss="mse")
    with pytest.raises(ValueError, match="`model` must be built"):
        set_layer_rates(unbuilt, RATES)
