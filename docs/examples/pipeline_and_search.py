"""scikit-learn's pipelines and searches: NetClassifier and NetSearchCV, beside MLPClassifier and GridSearchCV.

search of 6 candidates, accuracy on 143 test samples: anynet 97.9%, scikit-learn 96.5%
"""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from anynet.sklearn import NetClassifier, NetSearchCV

X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, random_state=0)

# Candidates that differ in learning rate and penalty are trained as one net, all at once.
nets = make_pipeline(StandardScaler(), NetClassifier([20], batch_size=50, tol=1e-3, random_state=0))
grid = {"netclassifier__lr": [0.003, 0.01, 0.03], "netclassifier__l2": [0, 1e-4]}
ours = NetSearchCV(nets, grid, cv=3).fit(X, y)

# The same in scikit-learn, whose alpha is 2 l2 times the number of samples in a batch.
mlps = make_pipeline(StandardScaler(), MLPClassifier([20], batch_size=50, tol=1e-3, random_state=0))
grid = {"mlpclassifier__learning_rate_init": [0.003, 0.01, 0.03], "mlpclassifier__alpha": [0, 0.01]}
theirs = GridSearchCV(mlps, grid, cv=3).fit(X, y)

scores = f"anynet {ours.score(X_test, y_test):.1%}, scikit-learn {theirs.score(X_test, y_test):.1%}"
print(f"search of {len(ours.cv_results_['params'])} candidates, accuracy on {len(y_test)} test samples: {scores}")
