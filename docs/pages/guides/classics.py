# %% [markdown]
# # The classics
#
# Each network is one file: the paper's table, a block, the body, the builders, in that order. All
# take Keras's arguments in Keras's order, as `functional` or `sequential`.

# %%
import inspect

import kerasdl as kd

kd.models.summary_table()

# %% [markdown]
# ## LeNet-5, 1998
#
# The body and the top are what the paper's figure shows.

# %%
lenet = kd.models.lenet5(classes=10, seed=1)
lenet.count_params(), [layer.name for layer in lenet.layers]

# %%
print(inspect.getsource(inspect.getmodule(kd.models.lenet5))[:1600])

# %% [markdown]
# ## VGG, 2014
#
# A column of the paper's table is a tuple: how many 3x3 convolutions each of the five stages has.

# %%
source = inspect.getsource(inspect.getmodule(kd.models.vgg16))
print(source[source.index("# Table 1") : source.index("def vgg_block")])

# %%
kd.models.vgg16(weights=None, seed=1).count_params()

# %% [markdown]
# ## A block alone
#
# What the networks are made of is called on a tensor, or put into a Sequential. Residual blocks:

# %%
import numpy as np

images = np.zeros((4, 6, 6, 3), "float32")
block = kd.models.blocks.residual(6, strides=2)
block(images).shape

# %% [markdown]
# And what a layer costs:

# %%
kd.models.layer_costs(lenet)
