# %% [markdown]
# # Test-time augmentation
#
# A model that sees a photo several times, a little turned, moved and mirrored, answers better in the
# mean. Here the views are those of the training, or fixed ones that go into the file.

# %%
import tempfile

import kerasdl as kd

folder = tempfile.mkdtemp()
kd.data.write_sample(f"{folder}/drawings", 16, 16, 8, 64, seed=1)
data = kd.ImageData.from_folder(
    f"{folder}/drawings", image_size=64, batch_size=16, augment="side_on", seed=1
)
learn = kd.Learner.pretrained(
    "efficientnet_lite0", data, precompute=True, cache_dir=folder, seed=1
)
learn.fit(1e-2, 3)

# %%
plain = learn.predict("valid")
several = learn.tta(4, seed=1)
plain.log_loss, several.log_loss

# %% [markdown]
# Answers and files come from one pass, so that nothing can be mixed up:

# %%
several.files[:3], several.probabilities[:3].round(3)

# %% [markdown]
# ## As one model
#
# Fixed views, a plain Keras model that exports as any other:

# %%
views = kd.predict.tta_model(learn.model)
views.input_shape, views.output_shape
