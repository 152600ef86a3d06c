"""The matmul peak: products of large float32 matrices in PyTorch, of the size that it is fastest at.

Like the speed of training it is a median, so that a busy machine slows both.

    python matmul-peak.py THREADS      prints GFLOP/s
"""

import statistics
import sys
import time

import torch

SECONDS_EACH = 1.0

torch.set_num_threads(int(sys.argv[1]))


def median_speed(size):
    """FLOP/s"""
    a, b, c = (torch.randn(size, size) for _ in range(3))
    torch.mm(a, b, out=c)
    times = []
    while sum(times) < SECONDS_EACH:
        start = time.perf_counter()
        torch.mm(a, b, out=c)
        times.append(time.perf_counter() - start)
    return 2 * size**3 / statistics.median(times)


print(f"{max(map(median_speed, (1024, 2048, 3072))) / 1e9:.1f} GFLOP/s")
