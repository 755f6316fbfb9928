# %% [markdown]
# # fast.ai's first lesson
#
# Eight steps to a strong classifier of photos. Here they run on drawings of cats and dogs that come
# with kerasdl, a few of 96 pixels, so that the page is made in seconds; on 2,000 photos the same steps
# reach what [Results](../results.md) shows.

# %%
import tempfile

import kerasdl as kd  # before TensorFlow

folder = tempfile.mkdtemp()
kd.data.write_sample(f"{folder}/drawings", 24, 12, 12, 96, seed=1)
data = kd.ImageData.from_folder(
    f"{folder}/drawings", image_size=96, batch_size=16, augment="side_on", seed=1
)
data

# %%
data.show_batch(rows=2)

# %% [markdown]
# ## The head, on cached activations
#
# `precompute=True` runs the frozen trunk over all photos once. What follows takes seconds an epoch,
# and augmentation has no effect yet.

# %%
learn = kd.Learner.pretrained(
    "efficientnet_lite0", data, precompute=True, cache_dir=folder, seed=1
)
learn.lr_find(num_steps=30).plot()

# %% [markdown]
# The valley is where the loss falls fastest before it rises. The lesson takes 1e-2.

# %%
learn.fit(1e-2, cycles=3)

# %% [markdown]
# ## The head, with augmentation

# %%
learn.precompute = False
learn.fit(1e-2, 2, cycle_len=1)

# %% [markdown]
# ## All layers, with rates by depth
#
# The first layers know edges and colours, and learn slowly; the last ones learn most.

# %%
learn.unfreeze()
learn.bn_freeze()
learn.fit([1e-5, 1e-4, 1e-3], cycle_len=1)

# %% [markdown]
# ## Test-time augmentation, and a look at what is wrong

# %%
learn.tta(2, seed=1)

# %%
learn.show_results(rows=2)
