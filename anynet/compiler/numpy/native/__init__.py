"""Recorded steps as native functions: LLVM IR written as text, compiled for this processor, kept on disk."""

from anynet.compiler.numpy.native.joins import join
from anynet.compiler.numpy.native.loops import in_loop, loop_calls
from anynet.compiler.numpy.native.native_program import NativeProgram

__all__ = ["NativeProgram", "in_loop", "join", "loop_calls"]
