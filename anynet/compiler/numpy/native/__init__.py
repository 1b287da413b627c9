"""Recorded steps as native functions: LLVM IR written as text, compiled for this processor, kept on disk."""
