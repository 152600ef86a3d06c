"""The matmul peak: the best of some large products of float32 matrices in PyTorch.

    python matmul-peak.py THREADS      prints GFLOP/s
"""

import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))
best = 0.0
for size in (1024, 2048, 3072):
    a, b, c = (torch.randn(size, size) for _ in range(3))
    for _ in range(10):
        start = time.perf_counter()
        torch.mm(a, b, out=c)
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
print(f"{best / 1e9:.1f} GFLOP/s")
