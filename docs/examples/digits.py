"""Handwritten digits: the accuracy of a small net, beside that of scikit-learn's net with the same settings.

digits, accuracy on 300 test images: anynet 97.7%, scikit-learn 98.3%
"""

from sklearn.neural_network import MLPClassifier

import anynet as an

# 1,497 training and 300 test images of 8 x 8 pixels, 0 to 255. val=0: none are set aside for validation.
data = an.data.load("digits", val=0)
train, test = data.train, data.test

# scikit-learn: 100 hidden units, ReLU and Adam, in batches of 200, until the loss converges.
mlp = MLPClassifier(learning_rate_init=0.01, random_state=0).fit(train.x / 255, train.y)

# The same in anynet. normalize="none" divides pixels by 255 and does no more.
net = an.Sequential(an.Linear(100), an.ReLU(), an.Linear(10))
run = an.fit(net, data, an.Adam(0.01), epochs=mlp.n_iter_, batch_size=200, normalize="none", seed=0)

ours, theirs = run.test.accuracy, mlp.score(test.x / 255, test.y)
print(f"digits, accuracy on {len(test)} test images: anynet {ours:.1%}, scikit-learn {theirs:.1%}")
