# %% [markdown]
# # Learning rates
#
# The rate is the number that matters most. Three things help: a sweep that shows which rates work, a
# schedule that lowers them, and one owner, so that nothing else changes them behind your back.

# %%
import tempfile

import kerasdl as kd
import keras
import numpy as np
from matplotlib.figure import Figure

folder = tempfile.mkdtemp()
kd.data.write_sample(f"{folder}/drawings", 24, 12, 12, 64, seed=1)
data = kd.ImageData.from_folder(
    f"{folder}/drawings",
    image_size=64,
    batch_size=16,
    seed=1,
)
model = kd.models.convnet(input_shape=(64, 64, 3), classes=2, seed=1)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])

# %% [markdown]
# ## The sweep
#
# `lr_find` raises the rate from batch to batch until the loss explodes, and then puts weights,
# optimizer and the order of the data back to the bit.

# %%
found = kd.train.lr_find(model, data, 1e-5, 1, num_steps=40)
found.plot()

# %%
found.suggestions

# %% [markdown]
# ## The curves
#
# Each is a pure function of the step; the callbacks apply them.

# %%
steps = np.arange(70)
figure = Figure(figsize=(7, 2.5), layout="constrained")
axes = figure.subplots()
restarts = [kd.schedules.cosine_restarts(step, 10, cycle_mult=2) for step in steps]
axes.plot(steps, restarts, label="cosine, restarts, cycle_mult=2")
rates = [kd.schedules.one_cycle(step, 70)[0] for step in steps]
axes.plot(steps, rates, label="one cycle")
axes.set(xlabel="batch", ylabel="of the highest rate")
axes.legend()
figure

# %% [markdown]
# ## Cycles in a training
#
# `fit_cycles` trains in cosine cycles; here of 1 and 2 epochs.

# %%
history = kd.train.fit_cycles(model, data, 1e-3, cycles=2, cycle_len=1, cycle_mult=2)
history[["loss", "val_loss"]]

# %% [markdown]
# The same as a callback in plain Keras:

# %%
cycles = kd.callbacks.CosineRestarts(cycle_len=1, cycle_mult=2)
_ = model.fit(data.train, epochs=3, callbacks=[cycles], shuffle=False, verbose=2)

# %% [markdown]
# Two owners are refused, before anything is trained:

# %%
try:
    kd.train.fit_cycles(
        model, data, 1e-3, callbacks=[keras.callbacks.ReduceLROnPlateau()]
    )
except ValueError as error:
    print(error)
