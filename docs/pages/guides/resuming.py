# %% [markdown]
# # Resuming, and several machines
#
# A training that is killed goes on where it was: the weights, the optimizer, the schedule and the
# order of the photos. It ends with the weights that it would have had.

# %%
import tempfile

import kerasdl as kd
import keras
import numpy as np

folder = tempfile.mkdtemp()
kd.data.write_sample(f"{folder}/drawings", 16, 8, 8, 64, seed=1)


def data():
    return kd.ImageData.from_folder(
        f"{folder}/drawings",
        image_size=64,
        batch_size=8,
        augment="side_on",
        seed=1,
    )


def network():
    model = kd.models.convnet(input_shape=(64, 64, 3), classes=2, seed=1)
    model.compile("adam", "binary_crossentropy")
    return model


# %% [markdown]
# Once in a whole:

# %%
whole = network()
_ = kd.train.fit_cycles(whole, data(), 1e-3, cycle_len=3, verbose=0)

# %% [markdown]
# And once cut short in its third epoch, as a kill would:


# %%
class Cut(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


state = f"{folder}/training.npz"
try:
    kd.train.fit_cycles(
        network(), data(), 1e-3, cycle_len=3, callbacks=[Cut()], state=state, verbose=0
    )
except KeyboardInterrupt:
    print("cut short")

resumed = network()
_ = kd.train.fit_cycles(resumed, data(), 1e-3, cycle_len=3, state=state, verbose=0)
pairs = zip(whole.get_weights(), resumed.get_weights(), strict=True)
max(float(np.abs(one - other).max()) for one, other in pairs)

# %% [markdown]
# A recipe does the same with `--resume`. `learn.fit(..., resume=True)` does it with the Learner's folder.
#
# ## Several devices and machines
#
# `--strategy mirrored` trains on all devices of a machine, `--strategy multi_worker` on several machines,
# each with `TF_CONFIG` in its environment; each reads its share of every batch, and the weights are those
# of one device. In Python, `kd.strategies.use("mirrored")` comes before the model is made, and
# `kd.train.distributed(model)` gives the one to compile.
