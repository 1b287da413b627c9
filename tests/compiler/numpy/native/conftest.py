"""Steps that run natively from the first one on."""

import pytest

from anynet.compiler.numpy import NumpyTarget


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(NumpyTarget, "waits", lambda self, graph: 0)


@pytest.fixture
def launches(monkeypatch):
    """Numbers of calls per step of the programs that are made; 1 if everything is native."""
    pytest.importorskip("llvmlite")
    from anynet.compiler.numpy.native.native_program import NativeProgram

    found = []
    init = NativeProgram.__init__

    def remember(self, *args):
        init(self, *args)
        found.append(self.launches)

    monkeypatch.setattr(NativeProgram, "__init__", remember)
    return found
