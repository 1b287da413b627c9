"""Modules of LLVM IR: functions of kernels and those that call them, compiled for this processor."""

import ctypes
from collections.abc import Sequence

import llvmlite.binding as llvm
import numpy as np

from anynet.compiler.numpy.native.kernel import Kernel
from anynet.compiler.numpy.native.writer import Function


class Module:
    """IR of kernels, one function for all that are alike.

    Attributes
    ----------
    table : list of int
        Addresses that the functions are called with.
    calls : list of str
        For each kernel, instructions that call its function, given ``ptr %table``.
    """

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        self.table: list[int] = []
        self.calls: list[str] = []
        self._functions: dict[str, str] = {}  # by body
        self._texts: list[str] = []
        self._metadata: list[str] = []
        self._declarations: set[str] = set()
        for kernel in kernels:
            self._add(kernel)

    def _add(self, kernel: Kernel) -> None:
        f = Function("kernel", kernel.arrays, len(kernel.addresses))
        kernel.write(f)
        name = self._functions.get(f.text())
        if name is None:
            name = self._functions[f.text()] = f"kernel{len(self._functions)}"
            f.name = name
            text, metadata = f.metadata(len(self._metadata))
            self._metadata += metadata
            self._declarations |= f.declarations
            self._texts.append(text)
        lines, args = [], []
        for address in (*f.pointers, *kernel.addresses):
            if address not in self.table:
                self.table.append(address)
            place = self.table.index(address)
            register = f"%a{len(self.calls)}.{len(args)}"
            lines.append(f"  {register}.p = getelementptr inbounds ptr, ptr %table, i64 {place}")
            lines.append(f"  {register} = load ptr, ptr {register}.p, align 8")
            args.append(f"ptr {register}")
        self.calls.append("\n".join([*lines, f"  call void @{name}({', '.join(args)})"]))

    def text(self, *functions: str) -> str:
        """Return the module's IR, with functions that call the kernels."""
        return "\n".join(
            [
                *sorted(self._declarations),
                *self._texts,
                *functions,
                "attributes #0 = { nounwind noinline }",
                *self._metadata,
            ]
        )


def compile_ir(text: str) -> llvm.ExecutionEngine:
    """Return an engine with the compiled functions of a module."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(text)
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )
    module.triple, module.data_layout = llvm.get_default_triple(), str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine


def call_once(kernel: Kernel) -> None:
    """Compile a kernel and call it."""
    module = Module([kernel])
    engine = compile_ir(module.text(f"define void @run(ptr %table) {{\n{module.calls[0]}\n  ret void\n}}"))
    table = np.asarray(module.table, np.uint64)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("run"))(table.ctypes.data)
