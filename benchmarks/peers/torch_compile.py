"""PyTorch with the whole step compiled to one graph: gathering, both passes, update."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call, grad

from benchmarks.data import Data
from benchmarks.peers.torch_net import TorchPeer
from benchmarks.workloads import Workload

Tensors = dict[str, Tensor]


class TorchCompile(TorchPeer):
    """The step is a function of tensors that it updates in place, for ``torch.func`` leaves no graph to break."""

    def __init__(self, workload: Workload, data: Data) -> None:
        torch.compiler.reset()  # a second net of other shapes would be compiled for any shape
        super().__init__(workload, data)
        self.params = {name: p.detach() for name, p in self.net.named_parameters()}
        self.first = {name: torch.zeros_like(p) for name, p in self.params.items()}
        self.second = {name: torch.zeros_like(p) for name, p in self.params.items()}
        self.t = torch.zeros(())
        self.compiled = torch.compile(self._step, fullgraph=True)

    def train(self, order: NDArray[np.int64]) -> None:
        for index in torch.from_numpy(order).split(self.workload.batch_size):
            self.compiled(self.params, self.first, self.second, self.t, index)

    def _step(self, params: Tensors, first: Tensors, second: Tensors, t: Tensor, index: Tensor) -> None:
        x, labels = self.normalized(self.images.index_select(0, index)), self.labels.index_select(0, index)
        grads = grad(self._loss)(params, dict(self.net.named_buffers()), x, labels)
        w, t = self.workload, t.add_(1)
        for name, p in params.items():
            g = grads[name] + 2 * w.l2 * p if w.l2 and p.ndim == 2 else grads[name]
            if w.optimizer == "adam":
                m, v = first[name].lerp_(g, 0.1), second[name].mul_(0.999).addcmul_(g, g, value=0.001)
                p.sub_(w.lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8))
            elif w.momentum:
                p.sub_(w.lr * first[name].mul_(w.momentum).add_(g))
            else:
                p.sub_(w.lr * g)

    def _loss(self, params: Tensors, buffers: Tensors, x: Tensor, labels: Tensor) -> Tensor:
        return self.loss(functional_call(self.net, (params, buffers), (x,)), labels)
