"""
One layer and its templates
===========================

A net of one linear layer has a template for each class: the row of weights that an image is compared with.
"""

import anynet as an

# %%
# Train on the 8 x 8 digits, which need no download.

data = an.data.load("digits")
net = an.Sequential(an.Linear(10), input_shape=data.image_shape)
run = an.fit(net, data, an.SGD(0.05, momentum=0.9), epochs=20, batch_size=50)
run.plot()
