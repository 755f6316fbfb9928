"""The optimizer that fast.ai's rates are made for."""

import keras


def default_optimizer() -> keras.optimizers.Optimizer:
    """SGD with momentum 0.9, for which fast.ai's rates are made, at 1e-2 until `fit`.

    Adam moves each weight by about its whole rate from the first batch on. With 400
    photos of cats and dogs, fast.ai's 1e-2 for the head and 1e-3 for the late layers of
    EfficientNet-Lite0, 8 epochs without augmentation from activations at 224 pixels,
    it went from 0.984 to 0.5 on 500 validation photos at a training loss of 0.006; SGD
    from 0.980 to 0.988, Nesterov's from 0.982 to 0.988, SGD with gradients clipped to a
    global norm of 1 from 0.976 to 0.984 (seed 1). recipes/README.md has the lesson.
    """
    return keras.optimizers.SGD(learning_rate=1e-2, momentum=0.9)
