"""How long MPI_Allreduce takes to add floats, beside exchange.ts, which joins as many numbers in 8 bits.

    mpirun -n 2 python bench/workers/allreduce.py [--numbers 1e5,1e6,1e7]

Needs mpi4py and numpy. Rank 0 prints the median.
"""

import argparse
import statistics
import time

import numpy
from mpi4py import MPI

TIMES = 15

parser = argparse.ArgumentParser()
parser.add_argument("--numbers", default="1e5,3e5,1e6,3e6,1e7")
ranks = MPI.COMM_WORLD
library = MPI.Get_library_version().split("\n")[0].split(",")[0].strip()
if ranks.rank == 0:
    print(f"{ranks.size} processes, {library}, MPI_Allreduce of floats", flush=True)
for count in [int(float(number)) for number in parser.parse_args().numbers.split(",")]:
    own = numpy.sin(numpy.arange(count, dtype=numpy.float32))
    total = numpy.empty_like(own)
    milliseconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        ranks.Allreduce(own, total, MPI.SUM)
        milliseconds.append(1e3 * (time.perf_counter() - start))
    if ranks.rank == 0:
        sent = 2 * 4 * count * (ranks.size - 1) / ranks.size / 1e6
        print(f"{count} numbers, {sent:.2f} MB sent by each: {statistics.median(milliseconds):.2f} ms", flush=True)
