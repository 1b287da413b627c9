"""Regression: how well a net predicts the progress of diabetes, beside scikit-learn's net with the same settings.

diabetes, R^2 on 111 test patients: anynet 0.350, scikit-learn 0.330
"""

from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

import anynet as an

x, y = load_diabetes(return_X_y=True)
x, x_test, y, y_test = train_test_split(x, y, random_state=0)
mean, scale = y.mean(), y.std()  # y is 25 to 346; a net learns numbers around 0 faster
t = (y - mean) / scale

# scikit-learn's net, until the loss improves by less than 0.01. Features are standardized, too.
features = StandardScaler().fit(x)
settings = {"batch_size": 50, "learning_rate_init": 0.01, "alpha": 0.5, "tol": 0.01}
mlp = MLPRegressor(hidden_layer_sizes=[20], random_state=0, **settings).fit(features.transform(x), t)

# The same in anynet. Targets that are floats are numbers to predict; features are standardized by default.
net = an.Sequential(an.Linear(20), an.ReLU(), an.Linear(1))
run = an.fit(net, (x, t), an.Adam(0.01), l2=0.01, batch_size=50, epochs=mlp.n_iter_, seed=0)

ours = r2_score(y_test, mean + scale * run.predict(x_test))
theirs = r2_score(y_test, mean + scale * mlp.predict(features.transform(x_test)))
print(f"diabetes, R^2 on {len(y_test)} test patients: anynet {ours:.3f}, scikit-learn {theirs:.3f}")
