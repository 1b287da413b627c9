"""PyTorch with the whole step (gather, forward, backward, update) compiled to one graph."""

import torch
from torch import Tensor
from torch.func import functional_call, grad

from benchmarks.data import Data
from benchmarks.peers.torch_net import TorchPeer
from benchmarks.workloads import Workload

Tensors = dict[str, Tensor]


class TorchCompile(TorchPeer):
    """The step uses ``torch.func``, which avoids graph breaks, and updates its tensors in place.

    On a GPU it is a CUDA graph; all tensors but the batch's indices have static addresses.
    """

    def __init__(self, workload: Workload, data: Data, device: str = "cpu") -> None:
        torch.compiler.reset()  # otherwise a net of other shapes is compiled for dynamic shapes
        super().__init__(workload, data, device)
        self.params = {name: p.detach() for name, p in self.net.named_parameters()}
        self.first = {name: torch.zeros_like(p) for name, p in self.params.items()}
        self.second = {name: torch.zeros_like(p) for name, p in self.params.items()}
        self.t = torch.zeros((), device=self.device)
        on_gpu = self.device.type == "cuda"
        self.compiled = torch.compile(self._step, fullgraph=True, mode="reduce-overhead" if on_gpu else None)
        kept = [self.x, self.y, self.scale, self.shift, self.t, *self.net.buffers()]
        for tensor in (*kept, *self.params.values(), *self.first.values(), *self.second.values()):
            torch._dynamo.mark_static_address(tensor)  # otherwise the graph updates a copy

    def train_on(self, index: Tensor) -> None:
        self.compiled(self.params, self.first, self.second, self.t, index)

    def _step(self, params: Tensors, first: Tensors, second: Tensors, t: Tensor, index: Tensor) -> None:
        x, labels = self.normalized(self.x.index_select(0, index)), self.y.index_select(0, index)
        grads = grad(self._loss)(params, dict(self.net.named_buffers()), x, labels)
        w, t = self.workload, t.add_(1)
        for name, p in params.items():
            g = grads[name] + 2 * w.l2 * p if w.l2 and p.ndim > 1 else grads[name]
            if w.optimizer == "adam":
                m, v = first[name].lerp_(g, 0.1), second[name].mul_(0.999).addcmul_(g, g, value=0.001)
                p.sub_(w.lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8))
            elif w.momentum:
                v = first[name].mul_(w.momentum).add_(g)
                p.sub_(w.lr * (g + w.momentum * v if w.nesterov else v))
            else:
                p.sub_(w.lr * g)

    def _loss(self, params: Tensors, buffers: Tensors, x: Tensor, labels: Tensor) -> Tensor:
        return self.loss(functional_call(self.net, (params, buffers), (x,)), labels)
