"""Where torch runs, and how it is made to give the same numbers twice."""

import os

import torch

from glassjet.errors import InputError

DEVICES = ("auto", "cpu", "cuda")


def prepare(device: str, threads: int = 1) -> torch.device:
    """Choose the device and make torch deterministic on it.

    Parameters
    ----------
    device : str
        "cpu", "cuda", or "auto": cuda where there is one.
    threads : int
        Threads of torch on the CPU. The sums of a convolution depend on their number, so the bytes do; two runs on one
        thread side by side are faster than one on two.

    Raises
    ------
    InputError
        If cuda is asked for and missing.
    """
    if device not in DEVICES:
        raise InputError(f"--device {device}: choose from {', '.join(DEVICES)}")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no CUDA device here; use --device cpu or auto")
    torch.set_num_threads(threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with this
    # As torch.use_deterministic_algorithms(True, warn_only=True), without importing torch's compiler for two seconds.
    torch.set_deterministic_debug_mode("warn")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
