"""Train a classifier on CIFAR-10: ``python train.py``; ``python train.py --help`` lists the settings."""

import sys

from anynet.__main__ import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
