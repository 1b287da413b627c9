"""Modules of LLVM IR: the functions of kernels and one that calls them, compiled for this processor."""

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from itertools import count
from threading import RLock
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from anynet.compiler.numpy.native import cache as kept
from anynet.compiler.numpy.native.kernel import Kernel
from anynet.compiler.numpy.native.runner import runner
from anynet.compiler.numpy.native.writer import Function

Run = Callable[[int, int, int, int, int, int], None]
"""``run(table, row, stop, first, last, parts)`` calls kernels without the GIL; see `runner`."""

_SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * 5)
_numbers = count()

_lock = RLock()
"""Lock of LLVM. A process is not forked while another thread has it: its lock would never be released in the child."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Module:
    """IR of kernels, with one function for all that are alike.

    Parameters
    ----------
    kernels : sequence of Kernel

    Attributes
    ----------
    table : list of int
        Addresses that the functions are called with.
    text : str
        The IR, with a function ``run``.
    """

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        self.table: list[int] = []
        self._places: dict[int, int] = {}
        self._functions: dict[str, str] = {}  # names by body
        self._texts: list[str] = []
        self._metadata: list[str] = []
        self._declarations: set[str] = set()
        calls = [self._call(i, kernel) for i, kernel in enumerate(kernels)]
        self.text = "\n".join(
            [
                *sorted(self._declarations),
                *self._texts,
                runner(calls, [kernel.units for kernel in kernels]),
                "attributes #0 = { nounwind noinline }",
                *self._metadata,
            ]
        )

    def _call(self, i: int, kernel: Kernel) -> str:
        """Return the instructions that call a kernel."""
        f = Function("kernel", kernel.arrays, len(kernel.addresses))
        kernel.write(f)
        body = f.text()
        if body not in self._functions:
            f.name = self._functions[body] = f"kernel{len(self._functions)}"
            text, metadata = f.metadata(len(self._metadata))
            self._texts.append(text)
            self._metadata += metadata
            self._declarations |= f.declarations
        lines, args = [], []
        for k, address in enumerate([*f.pointers, *kernel.addresses]):
            place = self._places.setdefault(address, len(self._places))
            lines.append(f"  %p{i}.{k} = getelementptr inbounds ptr, ptr %table, i64 {place}")
            lines.append(f"  %a{i}.{k} = load ptr, ptr %p{i}.{k}, align 8")
            args.append(f"ptr %a{i}.{k}")
        self.table = list(self._places)
        numbers = ["i64 %row", f"i64 %first{i}", f"i64 %last{i}"]
        lines.append(f"  call void @{self._functions[body]}({', '.join([*args, *numbers])})")
        return "\n".join(lines)


def compile_module(text: str) -> Run:
    """Compile the IR of a module, or find it compiled on disk, and return its function ``run``."""
    key = sha256("\0".join([text, *_processor()]).encode()).hexdigest()
    image = kept.load(key)
    if image is None:
        with _lock:
            image = kept.load(key)  # another thread may have compiled it meanwhile
            if image is None:
                image = _compile(text)
                kept.keep(key, image)
    return _link(key, image)


@cache
def _processor() -> tuple[str, str, str, str]:
    """Return what compiled code depends on: versions, and the processor's name and features."""
    versions = f"{llvmlite.__version__} {llvm.llvm_version_info}"
    features: str = llvm.get_host_cpu_features().flatten()
    return versions, llvm.get_process_triple(), llvm.get_host_cpu_name(), features


def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    _, triple, processor, features = _processor()
    return llvm.Target.from_triple(triple).create_target_machine(cpu=processor, features=features, opt=3, jit=True)


def _compile(text: str) -> bytes:
    """Return the object code of a module."""
    machine = _machine()
    context = llvm.create_context()  # of its own, to be released
    module = llvm.parse_assembly(text, context=context)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    image: bytes = machine.emit_object(module)
    return image


@cache
def _linker() -> Any:
    return llvm.create_lljit_compiler(_machine())


def _link(key: str, image: bytes) -> Run:
    with _lock:
        library = llvm.JITLibraryBuilder().add_object_img(image).add_current_process().export_symbol("run")
        loaded = library.link(_linker(), f"{key}.{next(_numbers)}")
    function = _SIGNATURE(loaded["run"])
    function.loaded = loaded  # type: ignore[attr-defined]  # unloads the code when it is collected
    run: Run = function
    return run
